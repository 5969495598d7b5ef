// Packets of an MPEG transport stream (ISO/IEC 13818-1 section 2.4.3): header and adaptation field.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::size_t kTsPacketSize = 188;
inline constexpr std::uint8_t kTsSync = 0x47;
inline constexpr std::uint16_t kTsPidPat = 0x0000;
inline constexpr std::uint16_t kTsPidSdt = 0x0011;
inline constexpr std::uint16_t kTsPidNull = 0x1FFF;
inline constexpr std::size_t kTsPids = 0x2000;

struct TsPacket {
  bool transport_error = false;
  bool payload_unit_start = false;
  std::uint16_t pid = 0;  // 13 bits
  std::uint8_t scrambling = 0;
  std::uint8_t continuity = 0;  // 4 bits
  bool discontinuity = false;
  bool random_access = false;
  std::optional<std::uint64_t> pcr = std::nullopt;  // in units of 27 MHz
  bool has_payload = false;
  Bytes payload;  // into the input; empty without a payload
};

// Exactly one packet of 188 octets. Does not allocate.
[[nodiscard]] Result<TsPacket> decode_ts(Bytes packet);

// True for a whole number of packets, at least one, each with its sync octet: what a datagram of a channel
// holds.
[[nodiscard]] bool is_ts_datagram(Bytes datagram);

}  // namespace hearthcast::wire
