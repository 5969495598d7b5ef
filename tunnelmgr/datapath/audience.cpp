#include "tunnelmgr/datapath/audience.hpp"

#include <utility>

namespace hearthcast::datapath {

bool Audience::add(PlayerId player, linux::Fd socket, std::uint64_t start,
                   std::optional<std::uint64_t> paced_at, Time now) {
  if (!epoll_->add(socket.get(), first_token_ + static_cast<std::uint64_t>(player.value))) {
    return false;
  }
  players_.try_emplace(player, std::move(socket), start, paced_at, now);
  return true;
}

void Audience::write(const playout::Ring& ring, Time now, bool only_ready) {
  for (auto at = players_.begin(); at != players_.end();) {
    const auto current = at++;
    if (!only_ready || current->second.state() != PlayerState::kBlocked) {
      write(current, ring, now);
    }
  }
}

void Audience::write(Place at, const playout::Ring& ring, Time now) {
  Player& player = at->second;
  const auto before = player.state();
  const auto after = player.write(ring, now);
  if (after == PlayerState::kClosed || after == PlayerState::kTooSlow) {
    end(at, after == PlayerState::kClosed ? PlayerEnd::kClosed : PlayerEnd::kTooSlow);
  } else if (after != before) {
    epoll_->change(player.fd(), first_token_ + static_cast<std::uint64_t>(at->first.value), true,
                   after == PlayerState::kBlocked);
  }
}

void Audience::on_event(PlayerId player, const linux::Epoll::Event& event, const playout::Ring& ring,
                        Time now) {
  const auto at = players_.find(player);
  if (at == players_.end()) {
    return;
  }
  if (event.readable && at->second.read() == PlayerState::kClosed) {
    end(at, PlayerEnd::kClosed);
  } else if (event.writable) {
    write(at, ring, now);
  }
}

void Audience::remove(PlayerId player) {
  if (const auto at = players_.find(player); at != players_.end()) {
    end(at, PlayerEnd::kStreamClosed);
  }
}

void Audience::close() {
  while (!players_.empty()) {
    end(players_.begin(), PlayerEnd::kStreamClosed);
  }
}

void Audience::end(Place at, PlayerEnd why) {
  epoll_->remove(at->second.fd());
  const auto gone = players_.extract(at);
  gone_(gone.key(), why, gone.mapped().bytes());
}

}  // namespace hearthcast::datapath
