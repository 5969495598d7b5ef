// Asks on every link of this machine whether the box is there, while that is wanted (nat/lan_service.hpp).
// Control thread only.
#pragma once

#include <functional>

#include "tunnelmgr/nat/lan_service.hpp"
#include "tunnelmgr/runtime/link_ports.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"

namespace hearthcast::away {

class LanAsker {
 public:
  // All outlive it. found(endpoints): some box says that it is there; whether it is ours, checks tell.
  LanAsker(boost::asio::io_context& io, Log& log, Random& random,
           std::function<void(const std::vector<Endpoint>&)> found);

  void want(bool wanted);
  // Also asks at once, if it is wanted.
  void on_network_change();
  // The link that is not asked on: a tunnel of our own.
  void leave_out(unsigned interface_index) { without_ = interface_index; }

 private:
  void ask(Time now);
  void arm() { timer_.arm(search_.next_deadline()); }

  nat::LanSearch search_;
  std::function<void(const std::vector<Endpoint>&)> found_;
  std::optional<unsigned> without_;
  runtime::LinkPorts ports_;
  runtime::MachineTimer timer_;
};

}  // namespace hearthcast::away
