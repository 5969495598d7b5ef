// GUE (draft-ietf-intarea-gue), as far as Linux speaks it: a header between UDP and an IP packet.
//
// Version 0 has 4 octets: version (2 bits), control (1), length of what follows in words of 32 bits (5),
// protocol, flags. Version 1 has none: the IP packet begins at once, and its first bits, 01, are the version.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::size_t kGueHeaderSize = 4;

struct GuePacket {
  std::uint8_t protocol = 0;  // of the payload, an IP protocol number
  Bytes payload;              // into the input
};

// kUnsupported: control messages and flags, which say that fields follow which we do not know.
[[nodiscard]] Result<GuePacket> decode_gue(Bytes datagram);

// Version 0 without fields, into the last kGueHeaderSize octets of `headroom`; returns kGueHeaderSize.
std::size_t write_gue_header(MutableBytes headroom, std::uint8_t protocol);
[[nodiscard]] Buffer encode_gue(const GuePacket& packet);

}  // namespace hearthcast::wire
