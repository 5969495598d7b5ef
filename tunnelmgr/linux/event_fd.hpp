// Wakes a thread that sleeps in poll or epoll. signal() is safe from every thread.
#pragma once

#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

class EventFd {
 public:
  EventFd();  // throws std::system_error when the process has no descriptors left: only at start-up
  [[nodiscard]] int fd() const { return fd_.get(); }
  void signal();
  void drain();  // never blocks

 private:
  Fd fd_;
};

}  // namespace hearthcast::linux
