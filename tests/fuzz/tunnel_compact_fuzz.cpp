// Opened records in the compact form at the away side. The input is packets one after the other, each after
// an octet with its length (in units of eight octets): what is put together must lie in what came, and be no
// longer; what decodes must have the fields that its octets say.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/tunnel/compact_receiver.hpp"
#include "tunnelmgr/tunnel/path_probe.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes rest(data, size);
  tunnel::CompactReceiver receiver;
  std::size_t taken = 0;
  while (!rest.empty()) {
    const std::size_t length = std::min<std::size_t>(std::size_t{rest[0]} * 8, rest.size() - 1);
    const Bytes packet = rest.subspan(1, length);
    rest = rest.subspan(1 + length);
    taken += length;
    const auto inner = tunnel::decode_inner_packet(packet);
    if (inner && inner->kind == tunnel::InnerKind::kControl) {
      const auto probe = tunnel::decode_path_probe(inner->payload);
      if (probe) {
        const auto again = tunnel::encode(*probe, packet.size());
        if (tunnel::decode_path_probe(Bytes(again).subspan(4)) != probe) {
          __builtin_trap();
        }
      }
      continue;
    }
    if (!inner || inner->kind != tunnel::InnerKind::kCompact) {
      continue;
    }
    const auto media = receiver.on_packet(*inner);
    if (!media) {
      continue;
    }
    const auto& frame = media->frame;
    if (frame.payload.size() > taken || frame.payload.size() > tunnel::kMaxCompactPayload ||
        frame.flow.value != inner->key || frame.sequence != inner->sequence ||
        !frame.header.destination.address.is_multicast()) {
      __builtin_trap();
    }
  }
  return 0;
}
