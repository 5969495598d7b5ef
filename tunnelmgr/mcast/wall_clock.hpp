// The time that probes carry: the wall clock, so that sender and receiver may be on two machines.
#pragma once

#include <chrono>
#include <cstdint>

namespace hearthcast::mcast {

// Nanoseconds since 1970.
[[nodiscard]] inline std::int64_t wall_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace hearthcast::mcast
