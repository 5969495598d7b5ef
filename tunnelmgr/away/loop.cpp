#include "tunnelmgr/away/loop.hpp"

#include <chrono>
#include <utility>
#include <variant>

#include "tunnelmgr/wire/ecn.hpp"

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
      stream.audience().write(stream.ring(), now_);
      stream.written();
    }
  }
}

void Loop::on_session_added() {
  flow_streams_.clear();
  compact_.reset();
  for (auto& [id, stream] : streams_) {
    stream.on_new_session();
  }
}

void Loop::perform(OpenStream message) {
  const auto gone = [this, channel = message.channel](PlayerId player, PlayerEnd end, std::uint64_t bytes) {
    player_streams_.erase(player);
    mailbox_.say_surely(PlayerGone{player, channel, end, bytes});
  };
  streams_.try_emplace(message.channel, message, datapath::Audience(epoll_, kFirstToken, gone));
  flow_streams_.clear();
}

void Loop::perform(CloseStream message) {
  const auto at = streams_.find(message.channel);
  if (at == streams_.end()) {
    return;
  }
  at->second.audience().close();
  flow_streams_.clear();
  streams_.erase(at);
}

void Loop::perform(AddPlayer message) {
  const auto at = streams_.find(message.channel);
  const auto player = message.player;
  const auto channel = message.channel;
  if (at == streams_.end() || !at->second.add(std::move(message), now_)) {
    mailbox_.say_surely(PlayerGone{player, channel, PlayerEnd::kStreamClosed, 0});
    return;
  }
  player_streams_[player] = &at->second;
  at->second.audience().write(at->second.ring(), now_);
}

void Loop::on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (!inner) {
    ++counters_.malformed;
  } else if (inner->kind == tunnel::InnerKind::kMedia) {
    on_media(*inner, peer.traffic_class);
  } else if (inner->kind == tunnel::InnerKind::kCompact) {
    on_compact(*inner, peer.traffic_class);
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

void Loop::on_media(const tunnel::InnerPacket& inner, std::uint8_t outer_traffic_class) {
  if (auto media = tunnel::decode_media(inner)) {
    play(*media, tunnel::MediaForm::kFull, outer_traffic_class);
  } else {
    ++counters_.malformed;
  }
}

void Loop::on_compact(const tunnel::InnerPacket& inner, std::uint8_t outer_traffic_class) {
  if (const auto media = compact_.on_packet(inner)) {
    play(media->frame, media->form, outer_traffic_class);
  }
}

void Loop::play(tunnel::MediaFrame media, tunnel::MediaForm form, std::uint8_t outer_traffic_class) {
  const auto traffic_class = wire::egress_traffic_class(media.header.traffic_class, outer_traffic_class);
  if (!traffic_class) {
    ++media_.ecn_dropped;
    return;
  }
  media_.ecn_marked += *traffic_class == media.header.traffic_class ? 0 : 1;
  media.header.traffic_class = *traffic_class;
  Stream* stream = stream_of(media);
  if (stream == nullptr || !stream->carries(media.header)) {
    ++unwanted_;
    return;
  }
  if (stream->on_media(media, form, now_)) {
    mailbox_.say_surely(StreamSignal{stream->channel(), true});
  }
}

void Loop::on_event(const linux::Epoll::Event& event) {
  const PlayerId id{static_cast<std::int64_t>(event.token - kFirstToken)};
  const auto at = player_streams_.find(id);
  if (at != player_streams_.end()) {  // else it went earlier in this turn
    Stream& stream = *at->second;
    stream.audience().on_event(id, event, stream.ring(), now_);
  }
}

void Loop::on_tick() {
  for (auto& [id, stream] : streams_) {
    if (stream.went_silent(now_)) {
      mailbox_.say_surely(StreamSignal{id, false});
    }
    stream.audience().retry(stream.ring(), now_);
    stream.written();
  }
}

void Loop::on_report() {
  auto statistics = std::make_unique<Statistics>();
  statistics->at = now_;
  statistics->unwanted = unwanted_;
  statistics->port = counters_;
  statistics->port.malformed += compact_.malformed();
  statistics->media = media_;
  statistics->media.incomplete = compact_.incomplete();
  statistics->media.unknown_flow = compact_.unknown();
  for (auto& [id, stream] : streams_) {
    statistics->streams.push_back(stream.report(now_));
  }
  for (const auto& [id, peer] : sessions_.peers()) {
    statistics->records += peer->records;
  }
  say(StatisticsReady{std::move(statistics)});
}

}  // namespace hearthcast::away
