// Opened records at the away side: GRE, then an inner packet. Media that decodes must decode to views inside
// the input.
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto inner = tunnel::decode_inner_packet({data, size});
  if (!inner) {
    return 0;
  }
  if (inner->payload.data() < data || inner->payload.data() + inner->payload.size() > data + size) {
    __builtin_trap();
  }
  if (inner->kind != tunnel::InnerKind::kMedia) {
    return 0;
  }
  const auto media = tunnel::decode_media(*inner);
  if (media &&
      (media->payload.data() < data || media->payload.data() + media->payload.size() > data + size)) {
    __builtin_trap();
  }
  return 0;
}
