// The body of the box's data thread: what SessionLoop does, and the flows: their sockets in, their frames to
// the viewers of the table.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "appliance/forward/clear_peers.hpp"
#include "appliance/forward/flow.hpp"
#include "appliance/forward/home_relay.hpp"
#include "appliance/forward/inner_port.hpp"
#include "appliance/forward/messages.hpp"
#include "tunnelmgr/datapath/session_loop.hpp"

namespace hearthcast::forward {

class Loop final : public datapath::SessionLoop<Down, Up>, private ClearSink, private InnerSink {
 public:
  // longest_pause: while datagrams gather under load; zero: they never do.
  Loop(linux::UdpSocket& socket, Log& log, Duration longest_pause = kLongestPause);

  static constexpr auto kLongestPause = std::chrono::microseconds{200};

 private:
  static constexpr std::uint64_t kPlayerToken = std::uint64_t{1} << 40;  // beyond those of all flows
  static constexpr std::uint64_t kHomeToken = std::uint64_t{1} << 48;    // beyond those of all players
  static constexpr int kReadsPerBatch = 64;  // of one flow, so that a flooded one does not stop the others

  using SessionLoop::perform;
  void perform(AddFlow message);
  void perform(RemoveFlow message);
  void perform(SetViewers message);
  void perform(AddPlayer message);
  void perform(const RemovePlayer& message);
  void perform(SetFrameLimit message);
  void perform(const SetMemory& message);
  void perform(const SetForm& message);
  void perform(AddClearPort message);
  void perform(AddClearPeer message);
  void perform(const SendClear& message) { clear_peers_.send(message); }
  void perform(OpenInner message);
  void perform(ServeInner message) { inner_port_.gate().serve(std::move(message.tcp_ports)); }
  void perform(AdmitInner message);
  void perform(const ExpelInner& message);

  void take(Down message) override;
  void on_event(const linux::Epoll::Event& event) override;
  void on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) override;
  void on_clear_packet(PeerId peer, Bytes ip_packet) override;
  void on_clear_endpoint(PeerId peer, const std::optional<Endpoint>& endpoint) override;
  std::size_t on_inner_packets(PeerId peer, std::span<const Bytes> gre) override;
  void on_session_added() override { resolve_viewers(); }
  void on_session_gone() override { resolve_viewers(); }
  [[nodiscard]] Time next_deadline() const override { return batch_at_; }
  [[nodiscard]] std::uint64_t arrived() const override { return counters_.datagrams + arrived_; }
  void after_events() override;
  void on_tick() override;
  void on_report() override;

  void review_home();
  void resolve_viewers();
  bool receive(Flow& flow);  // whether more may wait
  void keep(Flow& flow);
  void watch(Flow& flow);
  void serve_players();
  void tell_refused_sizes();
  void resolve_viewers(Flow& flow);
  void on_nack(const datapath::Peer& peer, Bytes payload);
  void owe(FlowId flow);

  FormedBatch forms_;  // of one flow at a time
  ClearPeers clear_peers_;
  InnerPort inner_port_;
  HomeRelay home_relay_{epoll_, inner_port_.nat(), kHomeToken};
  std::map<FlowId, Flow> flows_;
  std::vector<FlowId> owing_;  // of flows_, those that may have to send something again
  std::unordered_map<PlayerId, FlowId> players_;
  std::uint64_t arrived_ = 0;  // datagrams of all flows
  Time batch_at_ = kNever;     // when players are written next
  std::unique_ptr<const ViewerTable> table_;
};

}  // namespace hearthcast::forward
