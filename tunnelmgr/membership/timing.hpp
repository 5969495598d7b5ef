// Times and limits of membership inside a tunnel: docs/protocol/tunnel.md. Names of RFC 3810 section 9.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace hearthcast::membership {

struct Timing {
  std::chrono::seconds query_interval{10};
  std::chrono::milliseconds query_response_interval{2000};
  int robustness = 2;
  [[nodiscard]] constexpr std::chrono::milliseconds multicast_address_listening_interval() const {
    return robustness * query_interval + query_response_interval;
  }
  [[nodiscard]] constexpr std::chrono::milliseconds startup_query_interval() const {
    return std::chrono::milliseconds(query_interval) / 4;
  }
};

// When a changed report is repeated, counted from its first sending: the tunnel loses packets, and a viewer
// waits.
inline constexpr std::array<std::chrono::milliseconds, 3> kReportRepeats{
    std::chrono::milliseconds(100), std::chrono::milliseconds(200), std::chrono::milliseconds(400)};

// When a query that has no answer is repeated, counted from its sending, while the host wants something.
// Without it one lost packet in twenty would interrupt one minute of watching in twenty: two misses in a row
// end the state.
inline constexpr std::array<std::chrono::milliseconds, 3> kQueryRepeats{
    std::chrono::milliseconds(500), std::chrono::milliseconds(1000), std::chrono::milliseconds(2000)};

struct Limits {
  std::size_t groups = 16;   // of one tunnel, both families together
  std::size_t sources = 32;  // of one group
};

}  // namespace hearthcast::membership
