#include "tunnelmgr/tunnel/circuit_breaker.hpp"

namespace hearthcast::tunnel {

std::optional<Overload> CircuitBreaker::on_second(std::uint64_t packets, std::uint64_t octets,
                                                  std::uint64_t lost) {
  if (packets == 0) {
    return std::nullopt;  // an outage: what it cost is told by the second after it
  }
  const auto all = static_cast<double>(packets + lost);
  if (lost < kLeastLost || static_cast<double>(lost) < kMostLoss * all) {
    *this = {};
    return std::nullopt;
  }
  ++bad_;
  packets_ += packets;
  octets_ += octets;
  lost_ += lost;
  if (bad_ < kBadSeconds) {
    return std::nullopt;
  }
  Overload overload;
  overload.arriving_bps = octets_ * 8 / static_cast<std::uint64_t>(bad_);
  overload.needed_bps =
      static_cast<std::uint64_t>(static_cast<double>(overload.arriving_bps) *
                                 static_cast<double>(packets_ + lost_) / static_cast<double>(packets_));
  *this = {};
  return overload;
}

}  // namespace hearthcast::tunnel
