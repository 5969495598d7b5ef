// Where in the home network a device may go, as an owner writes it: hosts, and of these all TCP ports or
// some.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/prefix.hpp"

namespace hearthcast {

struct HomeHost {
  Prefix hosts;  // private addresses: of IPv4 at least 16 bits long, of IPv6 at least 64
  std::uint16_t first_port = 1;
  std::uint16_t last_port = 65535;

  // HOST, HOST:PORT or HOST:FIRST-LAST, HOST an address or a prefix; IPv6 with a port in brackets.
  [[nodiscard]] static std::optional<HomeHost> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;  // the shortest of these forms
  [[nodiscard]] bool includes(const IpAddress& address, std::uint16_t port) const;

  friend auto operator<=>(const HomeHost&, const HomeHost&) = default;
};

// In the owner's order, each once.
using HomeHosts = std::vector<HomeHost>;
inline constexpr std::size_t kMaxHomeHosts = 32;  // of one device

[[nodiscard]] bool any_includes(const HomeHosts& all, const IpAddress& address, std::uint16_t port);
// Whether the address is one of the hosts, whatever the port.
[[nodiscard]] bool any_includes(const HomeHosts& all, const IpAddress& address);

}  // namespace hearthcast
