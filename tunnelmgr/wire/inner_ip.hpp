// What a tunnel must know of an IP packet that came out of it before anything believes it: family, whole
// length, what it carries, and from whom.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

// What IP carries when it carries a tunnel.
inline constexpr std::uint8_t kProtocolIp4 = 4;
inline constexpr std::uint8_t kProtocolIp6 = 41;
inline constexpr std::uint8_t kProtocolGre = 47;

struct InnerIp {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;  // IPv6: what follows a hop-by-hop header

  [[nodiscard]] Family family() const { return source.family(); }
  // A tunnel inside the tunnel: IPv4, IPv6 or GRE in IP.
  [[nodiscard]] bool is_nested() const;
};

// kBadLength: the packet is shorter or longer than its header says. Looks at nothing behind the IP header.
[[nodiscard]] Result<InnerIp> check_inner_ip(Bytes packet);

// RFC 4213 section 3.6: sources that no packet out of a tunnel may have: multicast, loopback, IPv4-mapped,
// and IPv4-compatible but for `::` itself. For IPv4 the same in its own ranges: multicast, broadcast,
// loopback.
[[nodiscard]] bool is_credible_inner_source(const IpAddress& source);

}  // namespace hearthcast::wire
