#include "tunnelmgr/away/loop.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace hearthcast::away {
namespace {

constexpr std::uint64_t kQueueToken = 0;
constexpr std::uint64_t kPortToken = 1;
constexpr std::uint64_t kPlayerTokens = std::uint64_t{1} << 32;  // plus the player's id
constexpr int kReadsPerTurn = 4;                                 // of the port, before players are written
constexpr std::size_t kMaxFlows = 1024;                          // remembered; a box has far fewer
constexpr auto kTick = std::chrono::milliseconds{50};
constexpr auto kReport = std::chrono::seconds{1};

std::uint64_t token(PlayerId player) { return kPlayerTokens + static_cast<std::uint64_t>(player.value); }

}  // namespace

Loop::Loop(linux::UdpSocket& socket, Log& log)
    : socket_(socket), log_(log), reader_(socket, sessions_, counters_), sender_(socket) {}

void Loop::run() {
  if (!epoll_.add(mailbox_.down_fd(), kQueueToken) || !epoll_.add(socket_.fd(), kPortToken)) {
    log_.error("data_thread_start", {{"error", "the kernel refuses to watch the tunnel's port"}});
    return;
  }
  now_ = Clock::now();
  next_tick_ = now_ + kTick;
  next_report_ = now_ + kReport;
  const auto consume = [this] {
    mailbox_.consume_down([this](Down message) {
      std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
    });
  };
  consume();  // what was posted before the thread ran has not signalled
  while (running_) {
    // Without streams and sessions nothing needs the tick but the report.
    const auto events = epoll_.wait(streams_.empty() ? next_report_ : next_tick_);
    now_ = Clock::now();
    turned_at_.store(now_.time_since_epoch().count(), std::memory_order_relaxed);
    if (mailbox_.has_down()) {
      consume();
    }
    for (const auto& event : events) {
      if (event.token == kQueueToken) {
        consume();
      } else if (event.token == kPortToken) {
        // What is posted goes first: it may be the session that the next datagram belongs to.
        for (int n = 0; n < kReadsPerTurn && !mailbox_.has_down() && reader_.read(batch_, *this, now_); ++n) {
        }
      } else {
        on_player(event.token, event.readable, event.writable);
      }
    }
    for (auto& [id, stream] : streams_) {
      if (stream.fresh()) {
        write_players(stream, true);
      }
    }
    if (now_ >= next_tick_) {
      tick();
    }
  }
  for (const auto& [id, peer] : sessions_.peers()) {
    say_goodbye(*peer);
  }
}

bool Loop::alive(Time now) const {
  const auto at = turned_at_.load(std::memory_order_relaxed);
  return at == 0 || now - Time(Duration(at)) < std::chrono::seconds{10};
}

void Loop::perform(Stop) { running_ = false; }

void Loop::perform(datapath::AddSession message) {
  sessions_.add(std::move(message));
  flow_streams_.clear();
  for (auto& [id, stream] : streams_) {
    stream.on_new_session();
  }
}

void Loop::perform(datapath::MoveSession message) { sessions_.move(message); }

void Loop::perform(datapath::RemoveSession message) {
  const auto peer = sessions_.remove(message.peer);
  if (peer && message.close) {
    say_goodbye(*peer);
  }
}

void Loop::say_goodbye(datapath::Peer& peer) {
  std::array<std::uint8_t, 128> record;
  const auto size = peer.session->close(record);
  (void)socket_.send(peer.endpoint, Bytes(record).first(size));
}

void Loop::perform(const datapath::SendInner& message) {
  auto* peer = sessions_.find(message.peer);
  if (peer == nullptr || message.gre.size() > datapath::kMaxInnerSize) {
    ++counters_.send_dropped;
    return;
  }
  const Bytes packet = message.gre;
  counters_.send_dropped += sender_.send(*peer, std::span(&packet, 1)).drops;
}

void Loop::perform(const datapath::PassToSession& message) { reader_.pass_to_session(message, now_); }

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
  if (at == streams_.end() || !epoll_.add(fd, token(player))) {
    mailbox_.say_surely(PlayerGone{player, message.channel, PlayerEnd::kStreamClosed, 0});
    return;
  }
  auto& stream = at->second;
  player_streams_[player] = &stream;
  stream.add(std::move(message), now_);
  write_players(stream, true);
}

void Loop::on_stun(const Endpoint& from, Bytes datagram) {
  counters_.queue_full +=
      !mailbox_.say(datapath::StunReceived{from, Buffer(datagram.begin(), datagram.end())});
}

void Loop::on_handshake(const Endpoint& from, PeerId peer, Bytes datagram) {
  counters_.queue_full +=
      !mailbox_.say(datapath::HandshakeReceived{from, peer, Buffer(datagram.begin(), datagram.end())});
}

void Loop::on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (!inner) {
    ++counters_.malformed;
  } else if (inner->kind == tunnel::InnerKind::kMedia) {
    on_media(*inner);
  } else {
    counters_.queue_full +=
        !mailbox_.say(datapath::InnerReceived{peer.id, from, Buffer(gre.begin(), gre.end())});
  }
}

void Loop::on_closed(PeerId peer, std::string reason) {
  mailbox_.say_surely(datapath::SessionClosed{peer, std::move(reason)});
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
  epoll_.change(player.fd(), token(player.id()), true, player.state() == PlayerState::kBlocked);
}

void Loop::on_player(std::uint64_t event_token, bool readable, bool writable) {
  const PlayerId id{static_cast<std::int64_t>(event_token - kPlayerTokens)};
  const auto at = player_streams_.find(id);
  if (at == player_streams_.end()) {
    return;  // gone earlier in this turn
  }
  auto& stream = *at->second;
  const auto player = std::find_if(stream.players().begin(), stream.players().end(),
                                   [id](const Player& p) { return p.id() == id; });
  if (readable && player->read() == PlayerState::kClosed) {
    end_player(stream, player, PlayerEnd::kClosed);
    return;
  }
  if (writable) {
    write_players(stream, false);
  }
}

void Loop::end_player(Stream& stream, std::list<Player>::iterator player, PlayerEnd end) {
  epoll_.remove(player->fd());
  player_streams_.erase(player->id());
  mailbox_.say_surely(PlayerGone{player->id(), stream.channel(), end, player->bytes()});
  stream.players().erase(player);
}

void Loop::tick() {
  next_tick_ = now_ + kTick;
  mailbox_.retry();
  for (auto& [id, stream] : streams_) {
    if (stream.went_silent(now_)) {
      mailbox_.say_surely(StreamSignal{id, false});
    }
    write_players(stream, false);  // finds those that have stopped reading
  }
  if (now_ >= next_report_) {
    next_report_ = now_ + kReport;
    report();
  }
}

void Loop::report() {
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
  counters_.queue_full += !mailbox_.say(StatisticsReady{std::move(statistics)});
}

}  // namespace hearthcast::away
