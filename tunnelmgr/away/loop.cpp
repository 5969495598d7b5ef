#include "tunnelmgr/away/loop.hpp"

#include <chrono>
#include <utility>
#include <variant>

#include "tunnelmgr/tunnel/unnumbered_framing.hpp"
#include "tunnelmgr/wire/ecn.hpp"

namespace hearthcast::away {
namespace {

constexpr std::size_t kMaxFlows = 1024;  // remembered; a box has far fewer
constexpr auto kTick = std::chrono::milliseconds{50};
constexpr auto kLongestPause = std::chrono::microseconds{500};
constexpr std::size_t kMaxPreludes = 16;  // that wait for their media

}  // namespace

Loop::Loop(linux::UdpSocket& socket, Log& log) : SessionLoop(socket, log, kTick, kLongestPause) {}

void Loop::take(Down message) {
  std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
}

void Loop::after_events() {
  tun_.flush();
  for (auto& [id, stream] : streams_) {
    if (stream.next_deadline() <= now_) {
      stream.on_deadline(now_);
      ask_again(stream);
    }
    if (stream.fresh()) {
      stream.audience().write(stream.ring(), now_);
      stream.written();
    }
  }
}

Time Loop::next_deadline() const {
  Time first = kNever;
  for (const auto& [id, stream] : streams_) {
    first = std::min(first, stream.next_deadline());
  }
  return first;
}

void Loop::ask_again(Stream& stream) {
  auto* peer = sessions_.find(stream.peer());
  while (const auto nack = stream.next_nack(now_)) {
    if (peer != nullptr) {
      tunnel::QuickRoom room;
      const Bytes packet = tunnel::encode(*nack, room);
      counters_.send_dropped += sender_.send(*peer, std::span(&packet, 1)).drops;
    }
  }
}

void Loop::on_session_added() {
  begin_numbers(true);
  compact_.reset();
  unnumbered_.expect(tunnel::Form::kGre);
  preludes_.clear();
  repair_ = false;  // until its hello says so
  for (auto& [id, stream] : streams_) {
    stream.set_repair(false);
  }
}

void Loop::begin_numbers(bool of_the_box) {
  numbers_of_the_box_ = of_the_box;
  tun_.on_new_session();
  flow_streams_.clear();
  former_.clear();
  for (auto& [id, stream] : streams_) {
    stream.on_new_session(now_);
  }
}

void Loop::perform(const SetRepair& message) {
  repair_ = message.on;
  for (auto& [id, stream] : streams_) {
    stream.set_repair(repair_);
  }
}

void Loop::perform(const SetRoundTrip& message) {
  round_trip_ = message.measured;
  for (auto& [id, stream] : streams_) {
    stream.hint_round_trip(message.measured);
  }
}

void Loop::perform(OpenStream message) {
  const auto gone = [this, channel = message.channel](PlayerId player, PlayerEnd end, std::uint64_t bytes) {
    player_streams_.erase(player);
    mailbox_.say_surely(PlayerGone{player, channel, end, bytes});
  };
  const auto [at, is_new] =
      streams_.try_emplace(message.channel, message, datapath::Audience(epoll_, kFirstToken, gone));
  if (is_new) {
    at->second.set_repair(repair_);
    if (round_trip_) {
      at->second.hint_round_trip(*round_trip_);
    }
  }
  flow_streams_.clear();
}

void Loop::perform(CloseStream message) {
  const auto at = streams_.find(message.channel);
  if (at == streams_.end()) {
    return;
  }
  at->second.audience().close();
  if (numbers_of_the_box_) {
    former_.leave(at->second.number(), round_trip_, now_);
  }
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
    on_unnumbered(gre, peer);
  } else if (inner->kind == tunnel::InnerKind::kMedia) {
    on_media(*inner, peer);
  } else if (inner->kind == tunnel::InnerKind::kCompact) {
    on_compact(*inner, peer);
  } else if (inner->kind == tunnel::InnerKind::kControl &&
             tunnel::quick_kind(inner->payload) == tunnel::QuickKind::kPrelude) {
    on_prelude(inner->payload);
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

void Loop::on_prelude(Bytes payload) {
  const auto prelude = tunnel::decode_prelude(payload);
  if (!prelude) {
    ++counters_.malformed;
    return;
  }
  former_.resume(prelude->flow);
  tun_.pass_over(FlowId{prelude->flow}, prelude->first + prelude->count - 1, now_);
  if (const auto known = flow_streams_.find(prelude->flow); known != flow_streams_.end()) {
    if (known->second != nullptr) {
      known->second->on_prelude(*prelude, now_);
    }
  } else if (preludes_.size() < kMaxPreludes) {
    preludes_.push_back(*prelude);
  }
}

// The first media of a flow tell which stream the prelude is of that came before them.
void Loop::meet_prelude(const tunnel::MediaFrame& media, Stream& stream) {
  const auto flow = static_cast<std::uint32_t>(media.flow.value);
  for (const auto& prelude : preludes_) {
    if (prelude.flow == flow) {
      stream.on_prelude(prelude, now_);
    }
  }
  forget_prelude(media);
}

void Loop::forget_prelude(const tunnel::MediaFrame& media) {
  std::erase_if(preludes_, [flow = static_cast<std::uint32_t>(media.flow.value)](
                               const tunnel::Prelude& prelude) { return prelude.flow == flow; });
}

void Loop::on_media(const tunnel::InnerPacket& inner, const datapath::Peer& peer) {
  if (auto media = tunnel::decode_media(inner)) {
    play(*media, tunnel::MediaForm::kFull, peer);
  } else {
    ++counters_.malformed;
  }
}

void Loop::on_compact(const tunnel::InnerPacket& inner, const datapath::Peer& peer) {
  if (const auto media = compact_.on_packet(inner)) {
    play(media->frame, media->form, peer);
  }
}

// No GRE packet begins like one of these: bare IP with 4 or 6, AYIYA with 0x41.
void Loop::on_unnumbered(Bytes record, const datapath::Peer& peer) {
  if (const auto media = unnumbered_.on_record(record)) {
    play(*media, tunnel::media_form(unnumbered_.form()), peer);
  } else {
    ++counters_.malformed;
  }
}

void Loop::play(tunnel::MediaFrame media, tunnel::MediaForm form, const datapath::Peer& peer) {
  const auto traffic_class = wire::egress_traffic_class(media.header.traffic_class, peer.traffic_class);
  if (!traffic_class) {
    ++media_.ecn_dropped;
    return;
  }
  media_.ecn_marked += *traffic_class == media.header.traffic_class ? 0 : 1;
  media.header.traffic_class = *traffic_class;
  if (tunnel::is_unnumbered(form) == numbers_of_the_box_) {
    begin_numbers(!numbers_of_the_box_);
  }
  const bool listened = tun_.on_media(media, now_, tun_signal_);
  Stream* stream = stream_of(media);
  if (stream == nullptr || !stream->carries(media.header)) {
    unwanted_ += listened ? 0 : 1;
    forget_prelude(media);
    return;
  }
  if (former_.is_straggler(static_cast<std::uint32_t>(media.flow.value), now_)) {
    return;
  }
  if (!preludes_.empty()) {
    meet_prelude(media, *stream);
  }
  if (stream->on_media(media, form, peer.id, now_)) {
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
  tun_.on_tick(now_, tun_signal_);
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
  statistics->tun = tun_.counters();
  for (auto& [id, stream] : streams_) {
    if (const auto overload = stream.overload(); overload && repair_) {
      mailbox_.say_surely(StreamOverloaded{id, overload->arriving_bps, overload->needed_bps});
    }
    statistics->streams.push_back(stream.report(now_));
  }
  for (const auto& [id, peer] : sessions_.peers()) {
    statistics->records += peer->records;
  }
  say(StatisticsReady{std::move(statistics)});
}

}  // namespace hearthcast::away
