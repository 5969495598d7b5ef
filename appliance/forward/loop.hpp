// The body of the box's data thread: what SessionLoop does, and the flows: their sockets in, their frames to
// the viewers of the table.
#pragma once

#include <map>
#include <memory>

#include "appliance/forward/flow.hpp"
#include "appliance/forward/messages.hpp"
#include "tunnelmgr/datapath/session_loop.hpp"

namespace hearthcast::forward {

class Loop final : public datapath::SessionLoop<Down, Up> {
 public:
  Loop(linux::UdpSocket& socket, Log& log);

 private:
  using SessionLoop::perform;
  void perform(AddFlow message);
  void perform(RemoveFlow message);
  void perform(SetViewers message);

  void take(Down message) override;
  void on_event(const linux::Epoll::Event& event) override;
  void on_inner(datapath::Peer& peer, const Endpoint& from, Bytes gre) override;
  void on_session_added() override { resolve_viewers(); }
  void on_session_gone() override { resolve_viewers(); }
  void on_tick() override;
  void on_report() override;

  void resolve_viewers();

  FrameSlab slab_;
  std::map<FlowId, Flow> flows_;
  std::unique_ptr<const ViewerTable> table_;
};

}  // namespace hearthcast::forward
