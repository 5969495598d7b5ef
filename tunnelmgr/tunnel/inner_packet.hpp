// What a GRE packet inside a sealed tunnel is: media, membership or control (docs/protocol/tunnel.md).
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::tunnel {

enum class InnerKind : std::uint8_t {
  kMedia,    // an inner IP packet
  kCompact,  // media as compact_framing.hpp has them
  kMembership,
  kControl
};

struct InnerPacket {
  InnerKind kind = InnerKind::kControl;
  std::uint32_t key = 0;       // media in either form: the flow id
  std::uint32_t sequence = 0;  // the same: counts the flow
  Bytes payload;               // a view: an IP packet, a compact or a control packet
};

// Does not look into the payload. Key without sequence number or the reverse, and unknown protocol types, are
// errors.
[[nodiscard]] Result<InnerPacket> decode_inner_packet(Bytes gre);

// A membership packet (an IPv6 or IPv4 packet) as GRE. The first octet must be one of an IP header.
[[nodiscard]] Buffer encode_membership(Bytes ip_packet);

}  // namespace hearthcast::tunnel
