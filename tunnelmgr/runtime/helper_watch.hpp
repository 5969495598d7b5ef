// Looks after the privileged helper that the service manager starts: one that was killed or replaced is
// connected to again, and gets the rules that its predecessor kept.
#pragma once

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"

namespace hearthcast::runtime {

// Control thread only. Does nothing for a helper that this program started: nobody could start it again.
class HelperWatch {
 public:
  static constexpr std::chrono::seconds kInterval{5};

  // All outlive it.
  HelperWatch(boost::asio::io_context& loop, linux::NetdClient& client, Log& log,
              Duration interval = kInterval);

  void stop();  // looks no more, so that the loop can end

 private:
  void look(Time now);

  linux::NetdClient& client_;
  Log& log_;
  Duration interval_;
  bool there_;
  MachineTimer timer_;
};

}  // namespace hearthcast::runtime
