// Address prefixes: parsing, printing, containment, and the ranges of source-specific multicast.
#pragma once

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast {

// The addresses of one family that begin with the same bits. Whatever makes one clears the bits behind
// `length`.
struct Prefix {
  IpAddress address;
  unsigned length = 0;  // 0 to 32, or to 128

  [[nodiscard]] static Prefix of(const IpAddress& address,
                                 unsigned length);             // clears what lies behind; length in range
  [[nodiscard]] static Prefix only(const IpAddress& address);  // that one address
  // 239.0.0.0/8, ff05::/16, or one address alone. Refuses host bits that are set.
  [[nodiscard]] static std::optional<Prefix> parse(std::string_view text);

  [[nodiscard]] bool contains(const IpAddress& other) const;
  [[nodiscard]] bool contains(const Prefix& other) const;
  [[nodiscard]] bool is_single() const { return length == (address.is_ip4() ? 32U : 128U); }
  [[nodiscard]] Family family() const { return address.family(); }
  [[nodiscard]] std::string to_string() const;  // one address is printed without its length

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

// Every address of it, in order; for short lists: at most 2^20 addresses.
[[nodiscard]] std::vector<IpAddress> addresses_of(const Prefix& prefix);

[[nodiscard]] bool any_contains(std::span<const Prefix> prefixes, const IpAddress& address);

// 232.0.0.0/8 and ff3x::/32 for each scope x (RFC 4607 section 1).
[[nodiscard]] std::vector<Prefix> default_ssm_ranges();

}  // namespace hearthcast
