#include "tunnelmgr/runtime/machine_timer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace hearthcast::runtime {
namespace asio = boost::asio;

struct MachineTimer::State : std::enable_shared_from_this<State> {
  State(asio::io_context& loop, std::function<void(Time)> action)
      : timer(loop), on_deadline(std::move(action)) {}

  void wait() {
    timer.expires_at(deadline);  // cancels the wait for the former deadline
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->on_deadline) {
        return;
      }
      const Time now = Clock::now();
      // A completion that was queued already when the deadline moved comes without an error, and too early.
      if (now < self->deadline) {
        return;
      }
      self->deadline = kNever;
      // A copy: the action may destroy the timer.
      const auto action = self->on_deadline;
      action(now);
    });
  }

  asio::steady_timer timer;
  std::function<void(Time)> on_deadline;
  Time deadline = kNever;
};

MachineTimer::MachineTimer(asio::io_context& loop, std::function<void(Time now)> on_deadline)
    : state_(std::make_shared<State>(loop, std::move(on_deadline))) {}

MachineTimer::~MachineTimer() {
  state_->on_deadline = {};
  state_->timer.cancel();
}

void MachineTimer::arm(Time deadline) {
  if (deadline == state_->deadline) {
    return;
  }
  state_->deadline = deadline;
  if (deadline == kNever) {
    state_->timer.cancel();
  } else {
    state_->wait();
  }
}

}  // namespace hearthcast::runtime
