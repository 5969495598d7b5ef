#include "tunnelmgr/away/loop.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace hearthcast::away {
namespace {

constexpr std::size_t kMaxFlows = 1024;  // remembered; a box has far fewer
constexpr auto kTick = std::chrono::milliseconds{50};

}  // namespace

Loop::Loop(linux::UdpSocket& socket, Log& log) : SessionLoop(socket, log, kTick) {}

void Loop::take(Down message) {
  std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
}

void Loop::after_events() {
  for (auto& [id, stream] : streams_) {
    if (stream.fresh()) {
      write_players(stream, true);
    }
  }
}

void Loop::on_session_added() {
  flow_streams_.clear();
  for (auto& [id, stream] : streams_) {
    stream.on_new_session();
  }
}

void Loop::perform(OpenStream message) {
  streams_.try_emplace(message.channel, message);
  flow_streams_.clear();
}

void Loop::perform(CloseStream message) {
  const auto at = streams_.find(message.channel);
  if (at == streams_.end()) {
    return;
  }
  auto& stream = at->second;
  while (!stream.players().empty()) {
    end_player(stream, stream.players().begin(), PlayerEnd::kStreamClosed);
  }
  flow_streams_.clear();
  streams_.erase(at);
}

void Loop::perform(AddPlayer message) {
  const auto at = streams_.find(message.channel);
  const auto player = message.player;
  const int fd = message.socket.get();
  if (at == streams_.end() || !epoll_.add(fd, kFirstToken + static_cast<std::uint64_t>(player.value))) {
    mailbox_.say_surely(PlayerGone{player, message.channel, PlayerEnd::kStreamClosed, 0});
    return;
  }
  auto& stream = at->second;
  player_streams_[player] = &stream;
  stream.add(std::move(message), now_);
  write_players(stream, true);
}

void Loop::on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (!inner) {
    ++counters_.malformed;
  } else if (inner->kind == tunnel::InnerKind::kMedia) {
    on_media(*inner);
  } else {
    say(datapath::InnerReceived{peer.id, from, Buffer(gre.begin(), gre.end())});
  }
}

Stream* Loop::stream_of(const tunnel::MediaFrame& media) {
  const auto key = static_cast<std::uint32_t>(media.flow.value);
  if (const auto known = flow_streams_.find(key); known != flow_streams_.end()) {
    return known->second;
  }
  Stream* found = nullptr;
  for (auto& [id, stream] : streams_) {
    if (stream.carries(media.header)) {
      found = &stream;
    }
  }
  if (flow_streams_.size() < kMaxFlows) {
    flow_streams_.emplace(key, found);
  }
  return found;
}

void Loop::on_media(const tunnel::InnerPacket& inner) {
  const auto media = tunnel::decode_media(inner);
  if (!media) {
    ++counters_.malformed;
    return;
  }
  Stream* stream = stream_of(*media);
  if (stream == nullptr || !stream->carries(media->header)) {
    ++unwanted_;
    return;
  }
  if (stream->on_media(*media, now_)) {
    mailbox_.say_surely(StreamSignal{stream->channel(), true});
  }
}

// Writes what is new to the players; those whose sockets are full wait for their own event, or for the tick.
void Loop::write_players(Stream& stream, bool only_ready) {
  auto& players = stream.players();
  for (auto player = players.begin(); player != players.end();) {
    const auto current = player++;
    const auto before = current->state();
    if (only_ready && before == PlayerState::kBlocked) {
      continue;
    }
    const auto after = current->write(stream.ring(), now_);
    if (after == PlayerState::kClosed || after == PlayerState::kTooSlow) {
      end_player(stream, current, after == PlayerState::kClosed ? PlayerEnd::kClosed : PlayerEnd::kTooSlow);
    } else if (after != before) {
      watch(*current);
    }
  }
  stream.written();
}

void Loop::watch(const Player& player) {
  epoll_.change(player.fd(), kFirstToken + static_cast<std::uint64_t>(player.id().value), true,
                player.state() == PlayerState::kBlocked);
}

void Loop::on_event(const linux::Epoll::Event& event) {
  const PlayerId id{static_cast<std::int64_t>(event.token - kFirstToken)};
  const auto at = player_streams_.find(id);
  if (at == player_streams_.end()) {
    return;  // gone earlier in this turn
  }
  auto& stream = *at->second;
  const auto player = std::find_if(stream.players().begin(), stream.players().end(),
                                   [id](const Player& p) { return p.id() == id; });
  if (event.readable && player->read() == PlayerState::kClosed) {
    end_player(stream, player, PlayerEnd::kClosed);
    return;
  }
  if (event.writable) {
    write_players(stream, false);
  }
}

void Loop::end_player(Stream& stream, std::list<Player>::iterator player, PlayerEnd end) {
  epoll_.remove(player->fd());
  player_streams_.erase(player->id());
  mailbox_.say_surely(PlayerGone{player->id(), stream.channel(), end, player->bytes()});
  stream.players().erase(player);
}

void Loop::on_tick() {
  for (auto& [id, stream] : streams_) {
    if (stream.went_silent(now_)) {
      mailbox_.say_surely(StreamSignal{id, false});
    }
    write_players(stream, false);  // finds those that have stopped reading
  }
}

void Loop::on_report() {
  auto statistics = std::make_unique<Statistics>();
  statistics->at = now_;
  statistics->unwanted = unwanted_;
  statistics->port = counters_;
  for (auto& [id, stream] : streams_) {
    statistics->streams.push_back(stream.report(now_));
  }
  for (const auto& [id, peer] : sessions_.peers()) {
    statistics->records += peer->records;
  }
  say(StatisticsReady{std::move(statistics)});
}

}  // namespace hearthcast::away
