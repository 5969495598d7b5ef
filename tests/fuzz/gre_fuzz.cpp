// GRE: a decoded packet encodes to one that decodes alike.
#include "tunnelmgr/wire/gre.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = wire::decode_gre({data, size});
  if (!packet) {
    return 0;
  }
  const Buffer encoded = wire::encode_gre(packet->header, packet->payload);
  const auto again = wire::decode_gre(encoded);
  if (!again || !(again->header == packet->header) || !equal(again->payload, packet->payload)) {
    __builtin_trap();
  }
  return 0;
}
