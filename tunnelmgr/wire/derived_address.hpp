// Addresses that contain an IPv4 address: where the far end of a 6in4 tunnel is, and what its link-local
// address is, by rule instead of by configuration.
#pragma once

#include <optional>
#include <vector>

#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

// fe80::a.b.c.d, as RFC 4213 section 3.7 and Linux `sit` have it.
[[nodiscard]] IpAddress sixinfour_link_local(const IpAddress& ip4);
// fe80::5efe:a.b.c.d, as Linux gives it to `gre` over IPv4.
[[nodiscard]] IpAddress gre_link_local(const IpAddress& ip4);

// 6to4 (RFC 3056): 2002:V4ADDR::/48. Anycast relays (192.88.99.1) are deprecated by RFC 7526 and never an
// answer.
[[nodiscard]] Prefix sixtofour_prefix(const IpAddress& ip4);
// Nothing when the address is no 6to4 address, or names one that no tunnel can end at: private, multicast,
// loopback, the anycast relay.
[[nodiscard]] std::optional<IpAddress> sixtofour_endpoint(const IpAddress& ip6);

// A 6rd domain (RFC 5969).
struct SixRd {
  Prefix prefix;  // of the domain, IPv6
  unsigned ip4_mask_length =
      0;                  // leading bits of the IPv4 address that all ends share and addresses leave out
  IpAddress ip4_network;  // has those bits
  std::vector<IpAddress> relays;  // IPv4
  friend bool operator==(const SixRd&, const SixRd&) = default;

  // The prefix must leave room for what is left of an IPv4 address, within 64 bits.
  [[nodiscard]] bool is_sound() const;
  // What the end at that IPv4 address has; is_sound() must hold.
  [[nodiscard]] Prefix delegated(const IpAddress& ip4) const;
  // Where the end is that has this address; nothing when it lies outside the domain.
  [[nodiscard]] std::optional<IpAddress> endpoint(const IpAddress& ip6) const;
};

// Option 212 of DHCPv4 (RFC 5969 section 7.1.1), without code and length. `own` gives the bits that it leaves
// out.
[[nodiscard]] Result<SixRd> decode_sixrd_option(Bytes option, const IpAddress& own);
[[nodiscard]] Buffer encode_sixrd_option(const SixRd& domain);

}  // namespace hearthcast::wire
