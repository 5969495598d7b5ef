#include "appliance/forward/loop.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <variant>

namespace hearthcast::forward {
namespace {

constexpr auto kTick = std::chrono::milliseconds{250};
constexpr std::uint64_t kInnerToken = 512;       // tokens below those of flows
constexpr std::uint64_t kFirstClearPort = 1024;  // the same

}  // namespace

Loop::Loop(linux::UdpSocket& socket, Log& log, Duration longest_pause)
    : SessionLoop(socket, log, kTick, longest_pause), table_(std::make_unique<ViewerTable>()) {}

void Loop::take(Down message) {
  std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
}

void Loop::on_event(const linux::Epoll::Event& event) {
  if (event.token == kInnerToken) {
    (void)inner_port_.read(*this);  // what is left is told again in the next turn
    return;
  }
  if (event.token < kFirstToken) {
    clear_peers_.read(event.token - kFirstClearPort, batch_, *this, now_);
    return;
  }
  if (event.token >= kHomeToken) {
    home_relay_.on_event(event, now_);
    return;
  }
  if (event.token >= kPlayerToken) {
    const PlayerId player{static_cast<std::int64_t>(event.token - kPlayerToken)};
    if (const auto at = players_.find(player); at != players_.end()) {
      Flow& flow = flows_.at(at->second);
      flow.audience()->on_event(player, event, now_);
      watch(flow);
    }
    return;
  }
  const auto at = flows_.find(FlowId{static_cast<std::int64_t>(event.token - kFirstToken)});
  if (at != flows_.end()) {  // else it went earlier in this turn
    for (int n = 0; n < kReadsPerTurn && receive(at->second); ++n) {
    }
  }
}

bool Loop::receive(Flow& flow) {
  const auto received = flow.socket().receive(batch_);
  arrived_ += received.datagrams.size();
  if (const auto overflow = batch_.overflow()) {
    flow.meter().on_kernel_drops(*overflow);
  }
  if (flow.forward(received.datagrams, forms_, sender_, now_)) {
    mailbox_.say_surely(FlowSignal{flow.id(), true});
  }
  return received.more;
}

void Loop::perform(AddFlow message) {
  const auto id = message.flow;
  const bool wants_kept = message.keep;
  const auto known = flows_.find(id);
  if (known != flows_.end()) {
    epoll_.remove(known->second.socket().fd());
    known->second.set_watched(false);
    known->second.exchange_socket(std::move(message.socket));
  }
  auto& flow = known != flows_.end() ? known->second : flows_.emplace(id, std::move(message)).first->second;
  if (wants_kept) {
    keep(flow);
  }
  resolve_viewers(flow);
  watch(flow);
}

void Loop::perform(RemoveFlow message) {
  const auto flow = flows_.find(message.flow);
  if (flow != flows_.end()) {
    if (auto* audience = flow->second.audience()) {
      audience->close();
    }
    epoll_.remove(flow->second.socket().fd());
    flows_.erase(flow);
  }
}

void Loop::perform(SetViewers message) {
  table_ = std::move(message.table);
  resolve_viewers();
}

void Loop::perform(SetFrameLimit message) {
  if (auto* peer = sessions_.find(message.peer)) {
    peer->frame_limit = message.octets;
    peer->try_form = true;
    for (auto& [id, flow] : flows_) {
      flow.tell_addresses();
    }
  }
}

void Loop::perform(const SetMemory& message) {
  if (auto* peer = sessions_.find(message.peer)) {
    peer->takes_repair = message.repair;
    peer->takes_prelude = message.prelude;
  }
}

void Loop::perform(const SetForm& message) {
  if (auto* peer = sessions_.find(message.peer)) {
    peer->encapsulation = message.encapsulation;
    peer->too_narrow = false;
  }
}

void Loop::perform(AddClearPort message) {
  const auto token = kFirstClearPort + message.port;
  if (!epoll_.add(clear_peers_.add_port(std::move(message)).fd(), token)) {
    log_.error("peer_port_watch", {{"error", "too many descriptors"}});
  }
}

void Loop::perform(AddClearPeer message) {
  clear_peers_.add_peer(std::move(message), *this);
  resolve_viewers();
}

void Loop::perform(OpenInner message) {
  if (inner_port_.fd() >= 0) {
    epoll_.remove(inner_port_.fd());
  }
  inner_port_.open(std::move(message.tun));
  if (!epoll_.add(inner_port_.fd(), kInnerToken)) {
    log_.error("inner_watch", {{"error", "too many descriptors"}});
  }
  if (const auto listening = home_relay_.listen(message.interface); !listening) {
    log_.error("home_relay", {{"error", listening.error().text}});
  }
  inner_port_.gate().set_relay(home_relay_.port());
}

void Loop::perform(AdmitInner message) {
  inner_port_.gate().admit(message.peer, message.addresses, std::move(message.hosts));
  review_home();
}

void Loop::perform(const ExpelInner& message) {
  inner_port_.gate().expel(message.peer);
  review_home();
  inner_port_.nat().expel(message.peer);
}

void Loop::review_home() {
  home_relay_.review(
      [this](const HomeNat::Flow& flow) { return inner_port_.gate().may_go(flow.peer, flow.target); }, now_);
}

std::size_t Loop::on_inner_packets(PeerId peer, std::span<const Bytes> gre) {
  auto* to = sessions_.find(peer);
  return to == nullptr ? gre.size() : sender_.send(*to, gre).drops;
}

void Loop::on_clear_packet(PeerId peer, Bytes ip_packet) {
  say(ClearReceived{peer, Buffer(ip_packet.begin(), ip_packet.end())});
}

void Loop::on_clear_endpoint(PeerId peer, const std::optional<Endpoint>& endpoint) {
  mailbox_.say_surely(ClearEndpoint{peer, endpoint});
}

// Puts the table's rows into the flows, with the counters of those who were there before.
void Loop::resolve_viewers() {
  for (auto& [id, flow] : flows_) {
    resolve_viewers(flow);
    watch(flow);
  }
}

void Loop::resolve_viewers(Flow& flow) {
  flow.tell_addresses();
  const auto first = std::ranges::lower_bound(table_->rows, flow.id(), {}, &ViewerTable::Row::flow);
  const auto last = std::ranges::upper_bound(table_->rows, flow.id(), {}, &ViewerTable::Row::flow);
  const std::span rows(first, last);
  const auto stays = [this](const Viewer& viewer, const ViewerTable::Row& row) {
    return viewer.id == row.peer && viewer.peer == sessions_.find(row.peer);
  };
  if (std::ranges::equal(flow.viewers(), rows, stays)) {
    return;  // as most of them do at each change in a large house
  }
  auto before = std::exchange(flow.viewers(), {});
  for (const auto& [flow_id, peer_id] : rows) {
    auto* peer = sessions_.find(peer_id);
    auto* clear = peer == nullptr ? clear_peers_.find(peer_id) : nullptr;
    if (peer == nullptr && clear == nullptr) {
      continue;
    }
    const auto old = std::ranges::find(before, peer_id, &Viewer::id);
    auto& viewer = flow.viewers().emplace_back();
    if (old != before.end()) {
      viewer = std::move(*old);
    } else {
      viewer.id = peer_id;
      if (peer != nullptr && peer->takes_prelude && peer->numbered()) {
        flow.begin_prelude(viewer);
        owe(flow.id());
      }
    }
    viewer.peer = peer;
    viewer.clear = clear;
  }
}

void Loop::on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (!inner || inner->kind == tunnel::InnerKind::kMedia ||
      inner->kind == tunnel::InnerKind::kCompact) {  // devices send no media
    ++counters_.malformed;
    return;
  }
  if (inner->kind == tunnel::InnerKind::kControl &&
      tunnel::quick_kind(inner->payload) == tunnel::QuickKind::kNack) {
    on_nack(peer, inner->payload);
    return;
  }
  if (inner->kind == tunnel::InnerKind::kMembership &&
      inner_port_.on_packet(peer.id, inner->payload, *this, now_)) {
    return;
  }
  say(datapath::InnerReceived{peer.id, from, Buffer(gre.begin(), gre.end())});
}

void Loop::on_nack(const datapath::Peer& peer, Bytes payload) {
  const auto nack = tunnel::decode_nack(payload);
  if (!nack || !peer.takes_repair) {
    ++counters_.malformed;
    return;
  }
  // Of a flow that it does not get (any more): nothing.
  if (const auto flow = flows_.find(FlowId{nack->flow()}); flow != flows_.end()) {
    flow->second.on_nack(*nack, peer.id);
    owe(flow->first);
  }
}

void Loop::owe(FlowId flow) {
  if (std::ranges::find(owing_, flow) == owing_.end()) {
    owing_.push_back(flow);
  }
}

void Loop::on_tick() {
  inner_port_.nat().on_tick(now_);
  clear_peers_.on_tick(*this, now_);
  for (auto& [id, flow] : flows_) {
    if (flow.meter().signal_lost(now_)) {
      mailbox_.say_surely(FlowSignal{id, false});
    }
    if (auto* audience = flow.audience()) {
      audience->retry(now_);  // finds those that have stopped reading
      watch(flow);
    }
  }
  tell_refused_sizes();
}

void Loop::tell_refused_sizes() {
  for (const auto& [id, peer] : sessions_.peers()) {
    if (const auto refused = std::exchange(peer->refused_size, 0); refused != 0) {
      say(SizeRefused{id, refused});
    }
  }
}

void Loop::on_report() {
  auto statistics = std::make_unique<Statistics>();
  statistics->at = now_;
  statistics->port = counters_;
  for (auto& [id, flow] : flows_) {
    if (const auto* audience = flow.audience()) {
      for (const auto& [player, socket] : audience->players()) {
        statistics->players.push_back({player, socket.bytes()});
      }
    }
    flow.report(now_, *statistics);
  }
  clear_peers_.report(*statistics);
  statistics->inner = inner_port_.gate().counters();
  statistics->home = home_relay_.counters();
  say(StatisticsReady{std::move(statistics)});
}

}  // namespace hearthcast::forward
