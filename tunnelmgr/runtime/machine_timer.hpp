// Drives a machine's next_deadline() on the control loop.
#pragma once

#include <functional>
#include <memory>

#include "tunnelmgr/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::runtime {

// After every input to the machine: timer.arm(machine.next_deadline()). Control thread only. Destroying
// cancels.
class MachineTimer {
 public:
  // on_deadline(now) is called once for each armed deadline, at or after it; it may arm again.
  MachineTimer(boost::asio::io_context& loop, std::function<void(Time now)> on_deadline);
  ~MachineTimer();

  void arm(Time deadline);  // replaces the former deadline; kNever disarms

 private:
  struct State;
  std::shared_ptr<State>
      state_;  // shared with the wait in flight, which outlives the timer by one turn of the loop
};

}  // namespace hearthcast::runtime
