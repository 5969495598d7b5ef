// RTP headers (RFC 3550), as in front of a transport stream (RFC 2250): enough to find the payload and its
// order.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::uint8_t kRtpPayloadMp2t = 33;

struct RtpHeader {
  bool marker = false;
  std::uint8_t payload_type = 0;  // 7 bits
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;  // 90 kHz for MP2T
  std::uint32_t ssrc = 0;
  Bytes csrc = {};                                                // 4 octets each, at most 15 of them
  std::optional<std::uint16_t> extension_profile = std::nullopt;  // the extension is there
  Bytes extension = {};  // its words, without the four octets before them
};

struct RtpPacket {
  RtpHeader header;
  Bytes payload;  // without padding; all views are into the input
};

// Does not allocate.
[[nodiscard]] Result<RtpPacket> decode_rtp(Bytes datagram);
// csrc and extension must be whole words. Writes no padding.
[[nodiscard]] Buffer encode_rtp(const RtpHeader& header, Bytes payload);

}  // namespace hearthcast::wire
