// Times and limits of membership, under the names of RFC 3810 section 9 (RFC 3376 section 8 has the same):
// those of a link, and those of a tunnel (docs/protocol/tunnel.md).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <vector>

namespace hearthcast::membership {

// The defaults are the RFCs'. `robustness` is 1 to 7; `query_response_interval` is less than
// `query_interval`.
struct Timing {
  std::chrono::seconds query_interval{125};
  std::chrono::milliseconds query_response_interval{10'000};
  std::chrono::milliseconds last_listener_query_interval{1'000};
  int robustness = 2;
  // When a general query that has no answer is repeated, counted from its sending, while something is wanted.
  // For a tunnel, whose one host answers at once; empty elsewhere.
  std::vector<std::chrono::milliseconds> query_repeats = {};
  // No general queries while nothing is wanted, beyond those of the start: for a tunnel whose host says by
  // other means that it is there, and is asked then (Router::ask_if_quiet).
  bool quiet_unless_wanted = false;

  // How long a membership lasts without a report; also how long an older host is remembered (section 9.13).
  [[nodiscard]] std::chrono::milliseconds multicast_address_listening_interval() const {
    return robustness * query_interval + query_response_interval;
  }
  [[nodiscard]] std::chrono::milliseconds other_querier_present_timeout() const {
    return robustness * query_interval + query_response_interval / 2;
  }
  [[nodiscard]] std::chrono::milliseconds startup_query_interval() const {
    return std::chrono::milliseconds(query_interval) / 4;
  }
  [[nodiscard]] int startup_query_count() const { return robustness; }
  [[nodiscard]] int last_listener_query_count() const { return robustness; }
  [[nodiscard]] std::chrono::milliseconds last_listener_query_time() const {
    return last_listener_query_count() * last_listener_query_interval;
  }
  friend bool operator==(const Timing&, const Timing&) = default;
};

// A tunnel's. The repeats: without them one lost packet in twenty would interrupt one minute of watching in
// twenty, since two misses in a row end the state.
[[nodiscard]] inline Timing tunnel_timing() {
  using std::chrono::milliseconds;
  return {.query_interval = std::chrono::seconds(10),
          .query_response_interval = milliseconds(2000),
          .query_repeats = {milliseconds(500), milliseconds(1000), milliseconds(2000)}};
}

// When a listener in a tunnel repeats a changed report, counted from its first sending: the tunnel loses
// packets, and a viewer waits.
inline constexpr std::array<std::chrono::milliseconds, 3> kReportRepeats{
    std::chrono::milliseconds(100), std::chrono::milliseconds(200), std::chrono::milliseconds(400)};

// What one router keeps at most. What goes beyond is refused visibly (OverLimit); what is kept goes on.
struct Limits {
  std::size_t groups = 1024;
  std::size_t sources = 128;   // of one group
  std::size_t listeners = 64;  // tracked one by one, of one group; with more, a leave is asked about again
  friend bool operator==(const Limits&, const Limits&) = default;
};
inline constexpr Limits kTunnelLimits{.groups = 64, .sources = 32, .listeners = 1};

}  // namespace hearthcast::membership
