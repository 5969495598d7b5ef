// IPv4 and IPv6 headers: a decoded packet encodes to one that decodes alike.
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

using namespace hearthcast;

namespace {

template <class Packet, class Encode, class Decode>
void check(const Result<Packet>& packet, Encode encode, Decode decode) {
  if (!packet || packet->payload.size() > 60000) {
    return;  // our own options could push the largest packets over the limit
  }
  const Buffer encoded = encode(packet->header, packet->payload);
  const auto again = decode(encoded);
  if (!again || !(again->header == packet->header) || !equal(again->payload, packet->payload)) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  check(wire::decode_ip4(input), wire::encode_ip4, wire::decode_ip4);
  check(wire::decode_ip6(input), wire::encode_ip6, wire::decode_ip6);
  return 0;
}
