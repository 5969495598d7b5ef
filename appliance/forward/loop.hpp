// The body of the box's data thread: one epoll loop over the shared port, the flows' sockets and the queue
// from the control thread. What is posted is done before any datagram of the same turn.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "appliance/forward/flow.hpp"
#include "appliance/forward/messages.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/datapath/mailbox.hpp"
#include "tunnelmgr/datapath/port_reader.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/linux/epoll.hpp"

namespace hearthcast::forward {

class Loop final : private datapath::PortSink {
 public:
  Loop(linux::UdpSocket& socket, Log& log);

  [[nodiscard]] datapath::Mailbox<Down, Up>& mailbox() { return mailbox_; }

  // Any thread: it has turned within the last ten seconds, as it does at least once a second; or not begun.
  [[nodiscard]] bool alive(Time now) const;

  void run();  // data thread: until Stop; then says goodbye to every peer

 private:
  void perform(Stop);
  void perform(datapath::AddSession message);
  void perform(datapath::MoveSession message);
  void perform(datapath::RemoveSession message);
  void perform(const datapath::SendInner& message);
  void perform(const datapath::PassToSession& message);
  void perform(AddFlow message);
  void perform(RemoveFlow message);
  void perform(SetViewers message);

  void on_stun(const Endpoint& from, Bytes datagram) override;
  void on_handshake(const Endpoint& from, PeerId peer, Bytes datagram) override;
  void on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) override;
  void on_closed(PeerId peer, std::string reason) override;

  void read_flow(Flow& flow);
  void tick();
  void report();
  void resolve_viewers();

  linux::UdpSocket& socket_;
  Log& log_;
  datapath::Mailbox<Down, Up> mailbox_;
  linux::Epoll epoll_;
  linux::ReceiveBatch batch_;
  datapath::SessionTable sessions_;
  datapath::PortCounters counters_;
  datapath::PortReader reader_;
  datapath::SegmentSender sender_;
  FrameSlab slab_;
  std::map<FlowId, Flow> flows_;
  std::unique_ptr<const ViewerTable> table_;
  Time now_{};
  Time next_tick_{};
  Time next_report_{};
  bool running_ = true;
  std::atomic<Time::rep> turned_at_{0};  // read by the control thread
};

}  // namespace hearthcast::forward
