#include "appliance/sessions/inner_plan.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace hearthcast::sessions {
namespace {

using Octets6 = std::array<std::uint8_t, 16>;

IpAddress in_network(const Prefix& site, std::uint16_t network, std::uint8_t host) {
  Octets6 octets{};
  std::copy_n(site.address.bytes().begin(), 6, octets.begin());
  octets[6] = static_cast<std::uint8_t>(network >> 8);
  octets[7] = static_cast<std::uint8_t>(network);
  octets[15] = host;
  return *IpAddress::from_bytes(octets);
}

std::uint32_t number_of(const IpAddress& ip4) { return Reader(ip4.bytes()).u32(); }

}  // namespace

InnerPlan::InnerPlan(const IdentityId& box, const Prefix& ip4) : ip4_(ip4) {
  assert(ip4.address.is_ip4() && ip4.length <= kLongestIp4);
  Octets6 octets{0xfd};
  std::copy_n(box.digest.begin(), 5, octets.begin() + 1);
  ip6_ = Prefix::of(*IpAddress::from_bytes(octets), 48);
}

tunnel::InnerAddresses InnerPlan::of(DeviceId device) const {
  const auto network = static_cast<std::uint16_t>(device.value);
  const std::uint32_t base = number_of(ip4_.address);
  const std::uint32_t hosts = (std::uint32_t{1} << (32 - ip4_.length)) - 3;  // without the ends and the box
  const auto host = static_cast<std::uint32_t>(static_cast<std::uint64_t>(device.value) % hosts);
  return {.ip6 = in_network(ip6_, network, 2),
          .box_ip6 = in_network(ip6_, network, 1),
          .ip4 = IpAddress::ip4(base + 2 + host),
          .box_ip4 = IpAddress::ip4(base + 1)};
}

std::optional<Prefix> parse_inner_ip4(std::string_view text) {
  const auto prefix = Prefix::parse(text);
  const bool fits = prefix && prefix->address.is_ip4() && prefix->length >= 8 &&
                    prefix->length <= InnerPlan::kLongestIp4 && prefix->address.is_private();
  return fits ? prefix : std::nullopt;
}

}  // namespace hearthcast::sessions
