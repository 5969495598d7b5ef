// Lets devices at home find the box without anybody in between: answers for its tunnels' port on every link
// (nat/lan_service.hpp). Control thread only.
#pragma once

#include "tunnelmgr/nat/lan_service.hpp"
#include "tunnelmgr/runtime/link_ports.hpp"

namespace hearthcast::app {

class LanPresence {
 public:
  // All outlive it. `port`: UDP, of the tunnels.
  LanPresence(boost::asio::io_context& io, Log& log, Random& random, std::uint16_t port);
  // The machine's interfaces as they are now.
  void refresh(const std::vector<linux::Interface>& interfaces) { ports_.refresh(interfaces); }
  [[nodiscard]] const nat::LanResponderCounters& counters() const { return responder_.counters(); }

 private:
  void on_datagram(const runtime::LinkPorts::Arrival& arrival);

  std::uint16_t port_;
  nat::LanResponder responder_;
  runtime::LinkPorts ports_;
};

}  // namespace hearthcast::app
