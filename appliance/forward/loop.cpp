#include "appliance/forward/loop.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <variant>

namespace hearthcast::forward {
namespace {

constexpr std::uint64_t kQueueToken = 0;
constexpr std::uint64_t kPortToken = 1;
constexpr std::uint64_t kFlowTokens = std::uint64_t{1} << 32;  // plus the flow's id
constexpr int kReadsPerTurn = 4;                               // of the port, so that ingest gets its turn
constexpr auto kTick = std::chrono::milliseconds{250};
constexpr auto kReport = std::chrono::seconds{1};

std::uint64_t token(FlowId flow) { return kFlowTokens + static_cast<std::uint64_t>(flow.value); }

}  // namespace

Loop::Loop(linux::UdpSocket& socket, Log& log)
    : socket_(socket),
      log_(log),
      reader_(socket, sessions_, counters_),
      sender_(socket),
      table_(std::make_unique<ViewerTable>()) {}

void Loop::run() {
  if (!epoll_.add(mailbox_.down_fd(), kQueueToken) || !epoll_.add(socket_.fd(), kPortToken)) {
    log_.error("data_thread_start", {{"error", "the kernel refuses to watch the tunnel's port"}});
    return;
  }
  now_ = Clock::now();
  next_tick_ = now_ + kTick;
  next_report_ = now_ + kReport;
  // Once before the first sleep: what was posted before the thread ran has not signalled.
  const auto consume = [this] {
    mailbox_.consume_down([this](Down message) {
      std::visit([this](auto&& m) { perform(std::forward<decltype(m)>(m)); }, std::move(message));
    });
  };
  consume();
  while (running_) {
    const auto events = epoll_.wait(next_tick_);
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
      } else if (const auto flow = flows_.find(FlowId{static_cast<std::int64_t>(event.token - kFlowTokens)});
                 flow != flows_.end()) {
        read_flow(flow->second);
      }
    }
    if (now_ >= next_tick_) {
      tick();
    }
  }
  std::array<std::uint8_t, 128> record;
  for (const auto& [id, peer] : sessions_.peers()) {
    const auto size = peer->session->close(record);
    (void)socket_.send(peer->endpoint, Bytes(record).first(size));
  }
}

void Loop::read_flow(Flow& flow) {
  const auto received = flow.socket().receive(batch_);
  if (const auto overflow = batch_.overflow()) {
    flow.meter().on_kernel_drops(*overflow);
  }
  if (flow.forward(received.datagrams, slab_, sender_, now_)) {
    mailbox_.say_surely(FlowSignal{flow.id(), true});
  }
}

bool Loop::alive(Time now) const {
  const auto at = turned_at_.load(std::memory_order_relaxed);
  return at == 0 || now - Time(Duration(at)) < std::chrono::seconds{10};
}

void Loop::perform(Stop) { running_ = false; }

void Loop::perform(datapath::AddSession message) {
  sessions_.add(std::move(message));
  resolve_viewers();
}

void Loop::perform(datapath::MoveSession message) { sessions_.move(message); }

void Loop::perform(datapath::RemoveSession message) {
  const auto peer = sessions_.remove(message.peer);
  if (!peer) {
    return;
  }
  resolve_viewers();
  if (message.close) {
    std::array<std::uint8_t, 128> record;
    const auto size = peer->session->close(record);
    (void)socket_.send(peer->endpoint, Bytes(record).first(size));
  }
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

void Loop::perform(AddFlow message) {
  const auto id = message.flow;
  const auto known = flows_.find(id);
  if (known != flows_.end()) {
    epoll_.remove(known->second.socket().fd());
    known->second.exchange_socket(std::move(message.socket));
  }
  auto& flow = known != flows_.end() ? known->second : flows_.emplace(id, std::move(message)).first->second;
  if (!epoll_.add(flow.socket().fd(), token(id))) {
    log_.error("flow_watch", {{"flow", std::to_string(id.value)}, {"error", "too many descriptors"}});
  }
  resolve_viewers();
}

void Loop::perform(RemoveFlow message) {
  const auto flow = flows_.find(message.flow);
  if (flow != flows_.end()) {
    epoll_.remove(flow->second.socket().fd());
    flows_.erase(flow);
  }
}

void Loop::perform(SetViewers message) {
  table_ = std::move(message.table);
  resolve_viewers();
}

// Puts the table's rows into the flows, with the counters of those who were there before.
void Loop::resolve_viewers() {
  for (auto& [id, flow] : flows_) {
    const auto before = std::exchange(flow.viewers(), {});
    const auto row = std::find_if(table_->rows.begin(), table_->rows.end(),
                                  [id = id](const ViewerTable::Row& r) { return r.flow == id; });
    if (row == table_->rows.end()) {
      continue;
    }
    for (const auto peer_id : row->peers) {
      auto* peer = sessions_.find(peer_id);
      if (peer == nullptr) {
        continue;
      }
      const auto old = std::find_if(before.begin(), before.end(),
                                    [&](const Viewer& v) { return v.counters.peer == peer_id; });
      ViewerCounters counters;
      counters.flow = id;
      counters.peer = peer_id;
      flow.viewers().push_back({peer, old == before.end() ? counters : old->counters});
    }
  }
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
  if (!inner || inner->kind == tunnel::InnerKind::kMedia) {  // devices send no media
    ++counters_.malformed;
    return;
  }
  counters_.queue_full +=
      !mailbox_.say(datapath::InnerReceived{peer.id, from, Buffer(gre.begin(), gre.end())});
}

void Loop::on_closed(PeerId peer, std::string reason) {
  resolve_viewers();
  mailbox_.say_surely(datapath::SessionClosed{peer, std::move(reason)});
}

void Loop::tick() {
  next_tick_ = now_ + kTick;
  mailbox_.retry();
  for (auto& [id, flow] : flows_) {
    if (flow.meter().signal_lost(now_)) {
      mailbox_.say_surely(FlowSignal{id, false});
    }
  }
  if (now_ >= next_report_) {
    next_report_ = now_ + kReport;
    report();
  }
}

void Loop::report() {
  auto statistics = std::make_unique<Statistics>();
  statistics->at = now_;
  statistics->port = counters_;
  for (auto& [id, flow] : flows_) {
    statistics->flows.push_back(flow.meter().report(now_));
    for (const auto& viewer : flow.viewers()) {
      statistics->viewers.push_back(viewer.counters);
    }
  }
  for (const auto& [id, peer] : sessions_.peers()) {
    statistics->peers.push_back({id, peer->records, peer->last_received});
  }
  counters_.queue_full += !mailbox_.say(StatisticsReady{std::move(statistics)});
}

}  // namespace hearthcast::forward
