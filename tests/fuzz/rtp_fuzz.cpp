// RTP: a decoded packet encodes, without its padding, to one that decodes alike.
#include "tunnelmgr/wire/rtp.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = wire::decode_rtp({data, size});
  if (!packet) {
    return 0;
  }
  const Buffer encoded = wire::encode_rtp(packet->header, packet->payload);
  const auto again = wire::decode_rtp(encoded);
  if (!again || !equal(again->payload, packet->payload) || !equal(again->header.csrc, packet->header.csrc) ||
      !equal(again->header.extension, packet->header.extension) ||
      again->header.sequence != packet->header.sequence) {
    __builtin_trap();
  }
  return 0;
}
