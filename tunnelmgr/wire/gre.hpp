// GRE headers: RFC 2784 with the key and the sequence number of RFC 2890, as GRE-in-UDP (RFC 8086) carries
// them.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::uint16_t kGreIp4 = 0x0800;
inline constexpr std::uint16_t kGreIp6 = 0x86DD;      // RFC 7676
inline constexpr std::uint16_t kGreControl = 0x88B5;  // IEEE local experimental: docs/protocol/tunnel.md
inline constexpr std::uint16_t kGreCompact = 0x88B6;  // the same: media in the compact form
inline constexpr std::size_t kMaxGreHeaderSize = 16;

struct GreHeader {
  std::uint16_t protocol = 0;
  std::optional<std::uint32_t> key = std::nullopt;       // identifies a flow, is no secret
  std::optional<std::uint32_t> sequence = std::nullopt;  // modulo 2^32
  bool checksum = false;                                 // present, and right if decoded

  friend bool operator==(const GreHeader&, const GreHeader&) = default;
};

struct GrePacket {
  GreHeader header;
  Bytes payload;  // into the input
};

// Refuses version 1 (PPTP), the routing of RFC 1701 and its other bits 4 and 5, and a wrong checksum; ignores
// bits 6-12.
[[nodiscard]] Result<GrePacket> decode_gre(Bytes packet);

[[nodiscard]] std::size_t gre_header_size(const GreHeader& header);
// Writes the header into the last gre_header_size() octets of `headroom`, so that the payload may follow it
// in memory, and returns how many octets that were. The payload is read only for a checksum. Does not
// allocate.
std::size_t write_gre_header(MutableBytes headroom, const GreHeader& header, Bytes payload);
[[nodiscard]] Buffer encode_gre(const GreHeader& header, Bytes payload);

}  // namespace hearthcast::wire
