// Where a box may be found by a device that has met it before: the control message `reach`
// (docs/protocol/tunnel.md), and the addresses in it as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::tunnel {

inline constexpr std::uint16_t kDefaultTunnelPort = 4755;
inline constexpr std::size_t kMaxReachAddresses = 16;

// One of: an address with port, or a name of the DNS with port.
struct ReachAddress {
  std::optional<IpAddress> address;
  std::string name;  // empty when there is an address
  std::uint16_t port = kDefaultTunnelPort;

  // HOST, HOST:PORT or [IPV6]:PORT; a host is an address or a name.
  [[nodiscard]] static std::optional<ReachAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;  // always with the port
  friend bool operator==(const ReachAddress&, const ReachAddress&) = default;
};

// The box to an approved device, after hello and whenever it changes; replaces what it said before.
struct Reach {
  std::vector<ReachAddress> addresses;  // best first, at most kMaxReachAddresses
  std::string rendezvous_url;           // empty: none
  std::string rendezvous_pin;           // "webpki" or 64 hexadecimal digits
  friend bool operator==(const Reach&, const Reach&) = default;
};

[[nodiscard]] Buffer encode(const Reach& reach);
// kUnknownType for another message. Addresses of a form that is not known are passed over.
[[nodiscard]] Result<Reach> decode_reach(Bytes body);

}  // namespace hearthcast::tunnel
