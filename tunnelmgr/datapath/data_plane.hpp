// A program's data thread as its control thread sees it: started, stopped, told things, listened to. Loop is
// a SessionLoop; its Down and Up are what the two say to each other.
//
// Threads: construct, start(), stop(), post() and consume() belong to the control thread; everything else
// happens on the thread that start() makes. The control thread may send on the shared socket at any time,
// never read it.
#pragma once

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/datapath/messages.hpp"

namespace hearthcast {
class Log;
}
namespace hearthcast::linux {
class UdpSocket;
}

namespace hearthcast::datapath {

template <class Loop>
class DataPlane {
 public:
  using Down = typename Loop::Down;
  using Up = typename Loop::Up;

  // Both outlive it; options: what the Loop takes beside. Throws std::system_error when the kernel refuses
  // what the thread needs.
  template <class... Options>
  DataPlane(linux::UdpSocket& socket, Log& log, Options... options) : loop_(socket, log, options...) {}
  ~DataPlane() { stop(); }
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  void start() {
    thread_ = std::thread([this] { loop_.run(); });
  }

  // Orderly: sends close_notify to every peer, joins the thread; harmless when not started.
  void stop() {
    if (!thread_.joinable()) {
      return;
    }
    while (!post(Stop{})) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // full: the thread is busy emptying it
    }
    thread_.join();
  }

  // False when the queue is full: the data thread has not kept up for 4,096 messages; the message is lost.
  [[nodiscard]] bool post(Down message) { return loop_.mailbox().post(std::move(message)); }
  // Hands over what came up, oldest first, and re-arms wake_fd(). Call once after start() and whenever that
  // is readable.
  void consume(const std::function<void(Up)>& take) { loop_.mailbox().consume_up(take); }
  // Readable when something waits. Owned by the plane.
  [[nodiscard]] int wake_fd() { return loop_.mailbox().up_fd(); }
  // For the watchdog: the data thread turns, or was not started.
  [[nodiscard]] bool alive() const { return loop_.alive(Clock::now()); }

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace hearthcast::datapath
