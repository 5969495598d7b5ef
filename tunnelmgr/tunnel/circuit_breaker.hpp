// Notices that a path cannot carry a stream: the egress meter of a circuit breaker (RFC 8084 section 3). It
// is told once a second what came and what stayed missing after repair, and trips when kMostLoss of the
// packets was missing in each of kBadSeconds seconds. One bad second is an outage or a burst, not a narrow
// path; a second without any data says nothing. Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

namespace hearthcast::tunnel {

// What the path carries of a stream, and what the stream needs.
struct Overload {
  std::uint64_t arriving_bps = 0;
  std::uint64_t needed_bps = 0;
  friend bool operator==(const Overload&, const Overload&) = default;
};

class CircuitBreaker {
 public:
  static constexpr int kBadSeconds = 5;
  static constexpr double kMostLoss = 0.05;
  static constexpr std::uint64_t kLeastLost = 5;  // packets a second: a few are no mud, however slow the flow

  // Of the last second: packets and octets of payload that came, packets that were given up. Once, when it
  // trips; it begins to count anew then.
  [[nodiscard]] std::optional<Overload> on_second(std::uint64_t packets, std::uint64_t octets,
                                                  std::uint64_t lost);

 private:
  int bad_ = 0;
  std::uint64_t packets_ = 0;  // of the bad seconds so far
  std::uint64_t octets_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace hearthcast::tunnel
