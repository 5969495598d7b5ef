// ChannelData of TURN (RFC 8656 section 12.4): a datagram between a client and its relay in four octets more
// than the payload, in network byte order
//
//   channel number u16 (0x4000 to 0x4FFF) | length of the payload u16 | payload
//
// Over UDP nothing is padded by us, and padding of others is passed over.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::wire {

inline constexpr std::size_t kChannelHeaderSize = 4;
inline constexpr std::uint16_t kFirstChannel = 0x4000;
inline constexpr std::uint16_t kLastChannel = 0x4FFF;

struct ChannelData {
  std::uint16_t channel = 0;
  Bytes payload;  // a view into the datagram
};

[[nodiscard]] Result<ChannelData> decode_channel_data(Bytes datagram);

// Into the first kChannelHeaderSize octets of `out`; the payload follows them.
void write_channel_header(MutableBytes out, std::uint16_t channel, std::size_t payload);
[[nodiscard]] Buffer encode_channel_data(std::uint16_t channel, Bytes payload);

}  // namespace hearthcast::wire
