#include "tunnelmgr/runtime/control_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <list>
#include <vector>

#include "tunnelmgr/linux/service_manager.hpp"

namespace hearthcast::runtime {
namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kStopLimit{10};

struct ControlLoop::State {
  explicit State(Log& to) : log(to) {}

  void wait_for_signal() {
    signals.async_wait([this](const error_code& error, int number) {
      if (error) {
        return;
      }
      stop(number == SIGINT ? "SIGINT" : "SIGTERM", kFine);
    });
  }

  void wait_for(asio::signal_set& set, const std::function<void()>& action) {
    set.async_wait([this, &set, &action](const error_code& error, int) {
      if (!error) {
        action();
        wait_for(set, action);
      }
    });
  }

  void stop(const std::string& reason, int code) {
    if (stopping) {
      return;
    }
    stopping = true;
    exit_code = code;
    log.info("stopping", {{"reason", reason}});
    linux::notify_service_manager("STOPPING=1");
    watchdog.cancel();
    for (auto action = stop_actions.rbegin(); action != stop_actions.rend(); ++action) {
      (*action)();
    }
    idle_guard.reset();  // from now on the loop ends when nothing is left to do
    signals.cancel();
    for (auto& each : other_signals) {
      each.set.cancel();
    }
    std::signal(SIGTERM, SIG_DFL);  // a second one ends the program at once
    std::signal(SIGINT, SIG_DFL);
  }

  void watch() {
    const auto interval = linux::watchdog_interval();
    if (!interval || stopping) {
      return;
    }
    bool alive = true;
    for (const auto& check : alive_checks) {
      alive = check() && alive;
    }
    if (alive) {
      linux::notify_service_manager("WATCHDOG=1");
    }
    watchdog.expires_after(*interval / 3);
    watchdog.async_wait([this](const error_code& error) {
      if (!error) {
        watch();
      }
    });
  }

  Log& log;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> idle_guard = asio::make_work_guard(io);
  asio::signal_set signals{io, SIGTERM, SIGINT};
  struct OtherSignal {
    OtherSignal(asio::io_context& loop, int number, std::function<void()> what)
        : set(loop, number), action(std::move(what)) {}
    asio::signal_set set;
    std::function<void()> action;
  };
  std::list<OtherSignal> other_signals;  // the waits refer to its elements
  asio::steady_timer watchdog{io};
  std::vector<std::function<void()>> stop_actions;
  std::vector<std::function<bool()>> alive_checks;
  bool stopping = false;
  int exit_code = kFine;
};

ControlLoop::ControlLoop(Log& log) : state_(std::make_unique<State>(log)) { std::signal(SIGPIPE, SIG_IGN); }
ControlLoop::~ControlLoop() = default;

asio::io_context& ControlLoop::io() { return state_->io; }
void ControlLoop::on_stop(std::function<void()> action) { state_->stop_actions.push_back(std::move(action)); }
void ControlLoop::alive_if(std::function<bool()> check) { state_->alive_checks.push_back(std::move(check)); }

void ControlLoop::on_signal(int number, std::function<void()> action) {
  auto& added = state_->other_signals.emplace_back(state_->io, number, std::move(action));
  state_->wait_for(added.set, added.action);
}

int ControlLoop::run() {
  State& s = *state_;
  s.wait_for_signal();
  linux::notify_service_manager("READY=1");
  s.watch();
  try {
    while (!s.stopping) {
      s.io.run_one();
    }
    s.io.run_for(kStopLimit);
  } catch (const std::exception& error) {
    s.log.error("internal_error", {{"error", error.what()}});
    return kFailed;
  }
  if (!s.io.stopped()) {
    s.log.warning("stopped_at_once", {{"reason", "something did not end within ten seconds"}});
  }
  return s.exit_code;
}

void ControlLoop::stop(std::string reason, int exit_code) {
  asio::post(state_->io, [this, reason = std::move(reason), exit_code] { state_->stop(reason, exit_code); });
}

}  // namespace hearthcast::runtime
