// Waits for many descriptors, level-triggered, each known by a number of the caller. One thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

class Epoll {
 public:
  struct Event {
    std::uint64_t token;
    bool readable;  // also on an error or a hang-up: reading then says which
    bool writable;
  };

  Epoll();  // throws std::system_error: only at start-up
  // False when the kernel refuses (out of memory, or of watches).
  [[nodiscard]] bool add(int fd, std::uint64_t token, bool read = true, bool write = false);
  bool change(int fd, std::uint64_t token, bool read, bool write);
  void remove(int fd);  // before the descriptor is closed; unknown ones are ignored

  // Sleeps until something is ready or the deadline has passed (kNever: no limit; rounded up to a
  // millisecond). The events are valid until the next call.
  [[nodiscard]] std::span<const Event> wait(Time deadline);

 private:
  static constexpr std::size_t kEvents = 64;
  Fd fd_;
  std::array<epoll_event, kEvents> raw_{};
  std::array<Event, kEvents> events_{};
};

}  // namespace hearthcast::linux
