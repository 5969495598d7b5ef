#include "tunnelmgr/wire/channel_data.hpp"

#include <algorithm>
#include <cassert>

namespace hearthcast::wire {

Result<ChannelData> decode_channel_data(Bytes datagram) {
  Reader r(datagram);
  const std::uint16_t channel = r.u16();
  const std::size_t size = r.u16();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (channel < kFirstChannel || channel > kLastChannel) {
    return ParseError::kUnknownType;
  }
  const Bytes payload = r.take(size);
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  return ChannelData{channel, payload};
}

void write_channel_header(MutableBytes out, std::uint16_t channel, std::size_t payload) {
  assert(out.size() >= kChannelHeaderSize && payload <= 0xFFFF);
  out[0] = static_cast<std::uint8_t>(channel >> 8);
  out[1] = static_cast<std::uint8_t>(channel);
  out[2] = static_cast<std::uint8_t>(payload >> 8);
  out[3] = static_cast<std::uint8_t>(payload);
}

Buffer encode_channel_data(std::uint16_t channel, Bytes payload) {
  Buffer out(kChannelHeaderSize + payload.size());
  write_channel_header(out, channel, payload.size());
  std::ranges::copy(payload, out.begin() + kChannelHeaderSize);
  return out;
}

}  // namespace hearthcast::wire
