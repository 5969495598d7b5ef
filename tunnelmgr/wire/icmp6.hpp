// ICMPv6 (RFC 4443): the four octets that every message begins with, and the checksum over the pseudo header.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

struct Icmp6Message {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  Bytes body;  // what follows the checksum; into the input
};

// Checks the checksum.
[[nodiscard]] Result<Icmp6Message> decode_icmp6(Bytes message, const IpAddress& source,
                                                const IpAddress& destination);
[[nodiscard]] Buffer encode_icmp6(const Icmp6Message& message, const IpAddress& source,
                                  const IpAddress& destination);

}  // namespace hearthcast::wire
