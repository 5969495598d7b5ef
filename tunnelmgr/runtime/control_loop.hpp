// The control thread's life: one Asio loop, an orderly stop on SIGTERM and SIGINT, word to the service
// manager.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace boost::asio {
class io_context;
}

namespace hearthcast::runtime {

// One per program. Everything but stop() is for the thread that made it.
class ControlLoop {
 public:
  explicit ControlLoop(
      Log& log);  // from here on SIGPIPE is ignored, and SIGTERM and SIGINT mean an orderly stop
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;
  ~ControlLoop();

  [[nodiscard]] boost::asio::io_context& io();

  // Called once when the program is to stop, the last added first: close what keeps the loop busy.
  void on_stop(std::function<void()> action);

  // Runs the action on the loop whenever that signal comes (SIGHUP, SIGUSR1), until the stop.
  void on_signal(int number, std::function<void()> action);

  // Asked before each sign of life to the service manager's watchdog; false withholds it, and the program is
  // restarted. For threads that could hang beside the loop.
  void alive_if(std::function<bool()> check);

  // Runs until the program is stopped and nothing is left to do, at most ten seconds after the stop; a second
  // signal ends it at once. The exit code: the one given to stop(), 0 for signals, kFailed when something
  // threw.
  [[nodiscard]] int run();

  void stop(std::string reason, int exit_code = kFine);  // from any thread

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearthcast::runtime
