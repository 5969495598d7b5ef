#include "tunnelmgr/mcast/probe.hpp"

#include <cassert>

namespace hearthcast::mcast {
namespace {

constexpr std::uint32_t kMagic = 0x48434D50;  // HCMP
constexpr std::uint8_t kVersion = 1;

void put(MutableBytes out, std::size_t at, std::uint64_t value, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) {
    out[at + i] = static_cast<std::uint8_t>(value >> (8 * (octets - 1 - i)));
  }
}

}  // namespace

Result<Probe> decode_probe(Bytes datagram) {
  Reader r(datagram);
  const std::uint32_t magic = r.u32();
  const std::uint8_t version = r.u8();
  r.take(3);
  Probe probe;
  probe.stream = r.u32();
  probe.sequence = r.u64();
  probe.sent_ns = static_cast<std::int64_t>(r.u64());
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (magic != kMagic) {
    return ParseError::kUnknownType;
  }
  if (version != kVersion) {
    return ParseError::kUnsupported;
  }
  return probe;
}

void encode_probe(const Probe& probe, MutableBytes out) {
  assert(out.size() >= kProbeSize);
  put(out, 0, kMagic, 4);
  put(out, 4, std::uint64_t{kVersion} << 24, 4);
  put(out, 8, probe.stream, 4);
  put(out, 12, probe.sequence, 8);
  put(out, 20, static_cast<std::uint64_t>(probe.sent_ns), 8);
}

}  // namespace hearthcast::mcast
