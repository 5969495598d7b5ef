// IP addresses of both families, endpoints, and the identity of a multicast flow.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast {

enum class Family : std::uint8_t { kIp4, kIp6 };

// An IPv4 or IPv6 address in network byte order. IPv4-mapped IPv6 addresses are a socket's matter: adapters
// turn them into IPv4 before they come here. Ordered: all IPv4 before all IPv6, then by octets.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  [[nodiscard]] static IpAddress ip4(std::uint32_t host_order);
  [[nodiscard]] static IpAddress any(Family family);
  [[nodiscard]] static std::optional<IpAddress> from_bytes(Bytes octets);      // 4 or 16 octets
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);  // no brackets, no zone

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_ip4() const { return family_ == Family::kIp4; }
  [[nodiscard]] bool is_ip6() const { return family_ == Family::kIp6; }
  [[nodiscard]] Bytes bytes() const { return Bytes(octets_).first(is_ip4() ? 4 : 16); }
  [[nodiscard]] std::string to_string() const;  // RFC 5952 for IPv6

  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;  // unicast 169.254/16, fe80::/10
  // Addresses that are reachable only inside a site: RFC 1918, RFC 6598, ULA.
  [[nodiscard]] bool is_private() const;
  // Multicast that never leaves a link: 224.0.0.0/24, ffx0::, ffx1::, ffx2::.
  [[nodiscard]] bool is_link_scope_multicast() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::kIp4;
  std::array<std::uint8_t, 16> octets_{};
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  [[nodiscard]] static std::optional<Endpoint> parse(
      std::string_view text);  // 192.0.2.1:80 or [2001:db8::1]:80
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// What a channel is: a destination group and port, and the one source it may come from (nullopt: any source).
struct FlowKey {
  std::optional<IpAddress> source;
  IpAddress group;
  std::uint16_t port = 0;

  [[nodiscard]] std::string to_string() const;  // SOURCE@GROUP:PORT, or GROUP:PORT
  friend auto operator<=>(const FlowKey&, const FlowKey&) = default;
};

}  // namespace hearthcast

template <>
struct std::hash<hearthcast::IpAddress> {
  std::size_t operator()(const hearthcast::IpAddress& a) const noexcept {
    return std::hash<std::string_view>{}(hearthcast::as_text(a.bytes()));
  }
};
template <>
struct std::hash<hearthcast::Endpoint> {
  std::size_t operator()(const hearthcast::Endpoint& e) const noexcept {
    return std::hash<hearthcast::IpAddress>{}(e.address) * 31 + e.port;
  }
};
