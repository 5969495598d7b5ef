// ChannelData: the payload lies within the datagram, and what decodes encodes to the datagram's beginning.
#include "tunnelmgr/wire/channel_data.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto decoded = wire::decode_channel_data(input);
  if (decoded && !equal(wire::encode_channel_data(decoded->channel, decoded->payload),
                        input.first(wire::kChannelHeaderSize + decoded->payload.size()))) {
    __builtin_trap();
  }
  return 0;
}
