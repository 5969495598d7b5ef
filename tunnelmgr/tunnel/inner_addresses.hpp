// The addresses that the two ends of a tunnel have inside it, when the device has a network interface for it
// (capability `tun`): the box gives them in its hello. Beside them each end has its link-local one.
#pragma once

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::tunnel {

inline constexpr unsigned kInnerPrefix6 = 64;  // of the device's own ULA network, in which is the box's, too

struct InnerAddresses {
  IpAddress ip6 = IpAddress::any(Family::kIp6);  // of the device
  IpAddress box_ip6 = IpAddress::any(Family::kIp6);
  IpAddress ip4;  // of the device; there is no network around it
  IpAddress box_ip4;

  friend bool operator==(const InnerAddresses&, const InnerAddresses&) = default;
};

// fe80::1, of the box in every tunnel.
[[nodiscard]] inline IpAddress box_link_local() { return *IpAddress::parse("fe80::1"); }

}  // namespace hearthcast::tunnel
