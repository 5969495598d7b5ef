#include "tunnelmgr/wire/ip4.hpp"

#include <cassert>

#include "tunnelmgr/wire/checksum.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::size_t kFixed = 20;
constexpr std::uint16_t kDontFragment = 0x4000;
constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint8_t kEndOfOptions = 0;
constexpr std::uint8_t kNoOperation = 1;
constexpr std::uint8_t kRouterAlert = 148;

// True when the options are well formed; says whether Router Alert is among them.
bool scan_options(Bytes options, bool& router_alert) {
  Reader r(options);
  while (r.left() > 0) {
    const std::uint8_t type = r.u8();
    if (type == kEndOfOptions) {
      return true;
    }
    if (type == kNoOperation) {
      continue;
    }
    const std::uint8_t length = r.u8();
    if (length < 2) {
      return false;
    }
    r.take(length - 2U);
    if (r.failed()) {
      return false;
    }
    router_alert = router_alert || (type == kRouterAlert && length == 4);
  }
  return true;
}

}  // namespace

Result<Ip4Packet> decode_ip4(Bytes packet) {
  Reader r(packet);
  const std::uint8_t first = r.u8();
  if (packet.size() < kFixed) {
    return ParseError::kTruncated;
  }
  const std::size_t header_size = (first & 0x0FU) * std::size_t{4};
  if (first >> 4 != 4) {
    return ParseError::kUnknownType;
  }
  if (header_size < kFixed) {
    return ParseError::kBadLength;
  }
  Ip4Packet result;
  Ip4Header& h = result.header;
  h.tos = r.u8();
  const std::size_t total = r.u16();
  h.identification = r.u16();
  const std::uint16_t fragment = r.u16();
  h.dont_fragment = (fragment & kDontFragment) != 0;
  h.more_fragments = (fragment & kMoreFragments) != 0;
  h.fragment_offset = fragment & 0x1FFF;
  h.ttl = r.u8();
  h.protocol = r.u8();
  r.take(2);  // checksum, checked below with the rest
  h.source = *IpAddress::from_bytes(r.take(4));
  h.destination = *IpAddress::from_bytes(r.take(4));
  if (total < header_size) {
    return ParseError::kBadLength;
  }
  if (total > packet.size()) {
    return ParseError::kTruncated;
  }
  if (checksum(packet.first(header_size)) != 0) {
    return ParseError::kBadChecksum;
  }
  if (!scan_options(packet.subspan(kFixed, header_size - kFixed), h.router_alert)) {
    return ParseError::kBadValue;
  }
  result.payload = packet.subspan(header_size, total - header_size);
  return result;
}

Buffer encode_ip4(const Ip4Header& h, Bytes payload) {
  assert(h.source.is_ip4() && h.destination.is_ip4());
  const std::size_t header_size = kFixed + (h.router_alert ? 4 : 0);
  assert(header_size + payload.size() <= 0xFFFF);
  Buffer out;
  out.reserve(header_size + payload.size());
  Writer w(out);
  w.u8(static_cast<std::uint8_t>(0x40 | header_size / 4));
  w.u8(h.tos);
  w.u16(static_cast<std::uint16_t>(header_size + payload.size()));
  w.u16(h.identification);
  w.u16(static_cast<std::uint16_t>((h.dont_fragment ? kDontFragment : 0) |
                                   (h.more_fragments ? kMoreFragments : 0) | (h.fragment_offset & 0x1FFF)));
  w.u8(h.ttl);
  w.u8(h.protocol);
  w.u16(0);
  w.bytes(h.source.bytes());
  w.bytes(h.destination.bytes());
  if (h.router_alert) {
    w.u8(kRouterAlert);
    w.u8(4);
    w.u16(0);
  }
  w.patch_u16(10, checksum(out));
  w.bytes(payload);
  return out;
}

}  // namespace hearthcast::wire
