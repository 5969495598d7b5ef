// Transport stream: packets one after the other through everything that looks at them; nothing may crash or
// grow.
#include "tunnelmgr/wire/psi.hpp"
#include "tunnelmgr/wire/ts_continuity.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  (void)wire::decode_pat(input);
  (void)wire::decode_pmt(input);
  (void)wire::decode_sdt(input);
  wire::TsContinuity continuity;
  wire::SectionAssembler assembler;
  std::uint64_t packets = 0;
  for (std::size_t at = 0; at + wire::kTsPacketSize <= size; at += wire::kTsPacketSize) {
    const auto packet = wire::decode_ts(input.subspan(at, wire::kTsPacketSize));
    if (!packet) {
      continue;
    }
    ++packets;
    continuity.on_packet(*packet);
    if (const auto section = assembler.on_packet(*packet)) {
      if (section->size() > 4098) {
        __builtin_trap();
      }
      (void)wire::decode_sdt(*section);
    }
  }
  if (continuity.errors() > packets) {
    __builtin_trap();
  }
  return 0;
}
