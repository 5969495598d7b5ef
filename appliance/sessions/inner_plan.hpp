// Which addresses a device and the box have inside their tunnel. Told by the device's number alone, so that
// nothing has to be stored and a program on the laptop finds the same ones again.
#pragma once

#include <optional>
#include <string_view>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/tunnel/inner_addresses.hpp"

namespace hearthcast::sessions {

class InnerPlan {
 public:
  static constexpr unsigned kLongestIp4 = 24;  // of `ip4`

  // `ip4`: where IPv4 addresses come from, private and at most kLongestIp4 long. IPv6 ones come from a ULA
  // prefix of 48 bits (RFC 4193) that is made of the box's identity, as random as that.
  InnerPlan(const IdentityId& box, const Prefix& ip4);

  // A network of 64 bits for each device, in which the box is ::1 and the device ::2. IPv4: the box is the
  // first address of the range. Devices whose numbers lie as far apart as the range is large have the same
  // IPv4 address, each in its own tunnel.
  [[nodiscard]] tunnel::InnerAddresses of(DeviceId device) const;

 private:
  Prefix ip6_;
  Prefix ip4_;
};

// What the owner may choose: nullopt when the text is no such range.
[[nodiscard]] std::optional<Prefix> parse_inner_ip4(std::string_view text);

}  // namespace hearthcast::sessions
