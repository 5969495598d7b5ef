// The SixXS heartbeat: one line of text in a datagram by which the end of a 6in4 tunnel tells its IPv4
// address.
//
//   HEARTBEAT TUNNEL <tunnel's IPv6 address> <IPv4 address | sender> <unix time> <32 hexadecimal digits>
//
// The digits are the MD5 of the line up to and with the space before them, followed by the password. It is as
// weak as MD5 is, and whoever sees one on the way can send it first from elsewhere (docs/tunnels/6in4.md).
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/old_hashes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

struct Heartbeat {
  IpAddress tunnel;                  // the sender's IPv6 address inside the tunnel
  std::optional<IpAddress> address;  // its IPv4 address; none: "sender", the datagram's source
  std::uint64_t time = 0;            // seconds since 1970
  std::array<std::uint8_t, 16> digest{};
  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

// Fields are parted by single spaces. Line ends and NULs after the digits are tolerated.
[[nodiscard]] Result<Heartbeat> decode_heartbeat(Bytes datagram);
// Of a datagram that decode_heartbeat() took; in constant time for what is secret.
[[nodiscard]] bool is_heartbeat_signed(Bytes datagram, std::string_view password, const OldHashes& hashes);

// The datagram; its digest is made here, that of `heartbeat` does not count.
[[nodiscard]] Buffer encode_heartbeat(const Heartbeat& heartbeat, std::string_view password,
                                      const OldHashes& hashes);

}  // namespace hearthcast::wire
