// IPv4 headers (RFC 791), with the Router Alert option (RFC 2113) that IGMP carries.
//
// Other options are tolerated and lost. Fragments are decoded like any packet: look at is_fragment().
#pragma once

#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::uint8_t kProtocolIgmp = 2;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmp6 = 58;

struct Ip4Header {
  std::uint8_t tos = 0;
  std::uint16_t identification = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::uint16_t fragment_offset = 0;  // in units of 8 octets, 13 bits
  std::uint8_t ttl = 0;
  std::uint8_t protocol = 0;
  IpAddress source = {};
  IpAddress destination = {};
  bool router_alert = false;

  [[nodiscard]] bool is_fragment() const { return more_fragments || fragment_offset != 0; }
  friend bool operator==(const Ip4Header&, const Ip4Header&) = default;
};

struct Ip4Packet {
  Ip4Header header;
  Bytes payload;  // into the input; ends where the total length says
};

// Octets after the total length are ignored (link padding). Checks the header checksum.
[[nodiscard]] Result<Ip4Packet> decode_ip4(Bytes packet);
// Both addresses must be IPv4; header and payload together at most 65535 octets.
[[nodiscard]] Buffer encode_ip4(const Ip4Header& header, Bytes payload);

}  // namespace hearthcast::wire
