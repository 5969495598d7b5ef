// Explicit congestion notification across a tunnel (RFC 6040), in normal mode: the two low bits of a traffic
// class. At the ingress the inner field is copied outward as it is; egress_traffic_class() is the egress.
#pragma once

#include <cstdint>
#include <optional>

namespace hearthcast::wire {

enum class Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

[[nodiscard]] constexpr Ecn ecn_of(std::uint8_t traffic_class) { return static_cast<Ecn>(traffic_class & 3); }

// The inner packet's traffic class after the tunnel (RFC 6040 section 4.2): its own DSCP, and what the outer
// header says of congestion. Nothing: the packet is to be dropped, since a sender that does not understand
// marks would never learn of this one.
[[nodiscard]] constexpr std::optional<std::uint8_t> egress_traffic_class(std::uint8_t inner,
                                                                         std::uint8_t outer) {
  const Ecn mark = ecn_of(outer);
  if (ecn_of(inner) == Ecn::kNotEct) {
    return mark == Ecn::kCe ? std::nullopt : std::optional(inner);
  }
  if (mark == Ecn::kCe || (mark == Ecn::kEct1 && ecn_of(inner) == Ecn::kEct0)) {
    return static_cast<std::uint8_t>((inner & 0xFC) | static_cast<std::uint8_t>(mark));
  }
  return inner;
}

}  // namespace hearthcast::wire
