// The away client's data thread: opens what comes on the tunnel's port, keeps it per channel, and writes it
// to the players' sockets. It alone reads the port and holds the established sessions.
//
// Threads: construct, start(), stop(), post() and consume() belong to the control thread; everything else
// happens on the thread that start() makes. The control thread may send on the shared socket at any time,
// never read it.
#pragma once

#include <functional>
#include <memory>

#include "tunnelmgr/away/messages.hpp"

namespace hearthcast {
class Log;
}
namespace hearthcast::linux {
class UdpSocket;
}

namespace hearthcast::away {

class DataPlane {
 public:
  DataPlane(linux::UdpSocket& socket, Log& log);  // both outlive it
  ~DataPlane();                                   // stops
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  void start();
  void stop();  // orderly: sends close_notify to every peer, joins the thread; harmless when not started

  // False when the queue is full: the data thread has not kept up for 4,096 messages; the message is lost.
  [[nodiscard]] bool post(Down message);
  // Hands over what came up, oldest first, and re-arms wake_fd(). Call once after start() and whenever that
  // is readable.
  void consume(const std::function<void(Up)>& take);
  // Readable when something waits. Owned by the plane.
  [[nodiscard]] int wake_fd() const;
  // For the watchdog: the data thread turns, or was not started.
  [[nodiscard]] bool alive() const;

 private:
  struct Running;  // the loop and its thread
  std::unique_ptr<Running> running_;
};

}  // namespace hearthcast::away
