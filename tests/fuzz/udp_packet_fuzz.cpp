// IP and UDP in one piece: what decodes can be framed again and decodes alike.
#include "tunnelmgr/wire/udp_packet.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = wire::decode_udp_packet({data, size});
  if (!packet || packet->payload.size() > 65507) {
    return 0;
  }
  Buffer framed(wire::inner_header_size(packet->header.source.address.family()));
  wire::write_udp_packet_header(framed, packet->header, packet->payload);
  framed.insert(framed.end(), packet->payload.begin(), packet->payload.end());
  const auto again = wire::decode_udp_packet(framed);
  if (!again || !(again->header == packet->header) || !equal(again->payload, packet->payload)) {
    __builtin_trap();
  }
  return 0;
}
