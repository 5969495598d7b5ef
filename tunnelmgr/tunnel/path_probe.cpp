#include "tunnelmgr/tunnel/path_probe.hpp"

#include <algorithm>

#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kKindProbe = 3;
constexpr std::uint8_t kKindAnswer = 4;
constexpr std::size_t kFields = 14;  // with the GRE header

}  // namespace

std::optional<PathProbe> decode_path_probe(Bytes payload) {
  Reader r(payload);
  const auto version = r.u8();
  const auto kind = r.u8();
  if (version != kVersion || (kind != kKindProbe && kind != kKindAnswer)) {
    return std::nullopt;
  }
  PathProbe probe;
  probe.answer = kind == kKindAnswer;
  probe.nonce = r.u32();
  probe.size = r.u16();
  probe.path_mtu = r.u16();
  return r.failed() ? std::nullopt : std::optional(probe);
}

Buffer encode(const PathProbe& probe, std::size_t packet_size) {
  Buffer out;
  out.reserve(std::max(packet_size, kFields));
  Writer w(out);
  w.u16(0);  // GRE without checksum, key and sequence number
  w.u16(wire::kGreControl);
  w.u8(kVersion);
  w.u8(probe.answer ? kKindAnswer : kKindProbe);
  w.u32(probe.nonce);
  w.u16(probe.size);
  w.u16(probe.path_mtu);
  w.zeros(packet_size > w.size() ? packet_size - w.size() : 0);
  return out;
}

}  // namespace hearthcast::tunnel
