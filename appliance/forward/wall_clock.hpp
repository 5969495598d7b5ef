// The wall clock as tunnel headers carry it.
#pragma once

#include <chrono>
#include <cstdint>

namespace hearthcast::forward {

// Since 1970, modulo 2^32.
[[nodiscard]] inline std::uint32_t wall_clock_seconds() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(since_1970).count());
}

}  // namespace hearthcast::forward
