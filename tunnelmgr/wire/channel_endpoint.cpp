#include "tunnelmgr/wire/channel_endpoint.hpp"

#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::array<std::uint8_t, 16> kNowhere{0x01};  // 100::

bool is_nowhere(const IpAddress& address) { return address.is_ip6() && equal(address.bytes(), kNowhere); }

}  // namespace

Endpoint channel_endpoint(std::uint16_t channel) {
  return {IpAddress::from_bytes(kNowhere).value(), channel};
}

std::optional<std::uint16_t> channel_of(const Endpoint& endpoint) {
  const bool in_range = endpoint.port >= kFirstChannel && endpoint.port <= kLastChannel;
  return in_range && is_nowhere(endpoint.address) ? std::optional(endpoint.port) : std::nullopt;
}

}  // namespace hearthcast::wire
