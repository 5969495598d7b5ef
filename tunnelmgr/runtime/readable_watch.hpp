// Calls back on the control loop whenever a descriptor is readable: the eventfd of a queue, a netlink socket,
// a UDP socket.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace hearthcast::runtime {

// Does not own the descriptor, which must stay open as long as the watch lives. Control thread only.
// on_readable should take what is there: it is called again as long as anything is left.
class ReadableWatch {
 public:
  ReadableWatch(boost::asio::io_context& loop, int fd, std::function<void()> on_readable);
  ~ReadableWatch();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the wait in flight
};

}  // namespace hearthcast::runtime
