// Kinds of access to the Internet, as data: the NATs from the house outwards, IPv6, and what lets nothing
// through; and which way leads from one kind to another, by the words of RFC 4787 alone.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tests/sim/nat_router.hpp"

namespace hearthcast::sim {

enum class Ip6 : std::uint8_t { kNone, kOpen, kFirewalled };

struct Access {
  std::string_view name;
  bool ip4 = true;
  std::vector<NatKind> nats{};  // the one nearest to the house first; none: a public address
  Ip6 ip6 = Ip6::kNone;

  [[nodiscard]] bool blocks_udp() const;
  [[nodiscard]] bool maps_per_destination() const;  // any of its NATs
  [[nodiscard]] Filtering filtering() const;        // the strictest
};

// Most are of the matrix; an IPv6-only network and public addresses are here, too.
[[nodiscard]] std::span<const Access> accesses();
[[nodiscard]] const Access& access_named(std::string_view name);  // throws std::invalid_argument

[[nodiscard]] NatKind ip6_firewall();

enum class Way : std::uint8_t { kDirect, kRelayed, kNone };
[[nodiscard]] std::string_view to_string(Way way);
// The best way there is. A box needs UDP; the relay has an IPv4 address, and speaks TLS where UDP is blocked.
[[nodiscard]] Way way_between(const Access& home, const Access& away);

}  // namespace hearthcast::sim
