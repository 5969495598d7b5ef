#include "tunnelmgr/wire/inner_ip.hpp"

#include <algorithm>

namespace hearthcast::wire {
namespace {

constexpr std::size_t kHeaderSize4 = 20;
constexpr std::size_t kHeaderSize6 = 40;

Result<InnerIp> check4(Bytes packet) {
  Reader r(packet);
  const std::size_t header = std::size_t{4} * (r.u8() & 0x0F);
  r.take(1);
  const std::size_t length = r.u16();
  r.take(5);
  InnerIp inner;
  inner.protocol = r.u8();
  r.take(2);
  const Bytes source = r.take(4);
  const Bytes destination = r.take(4);
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (length != packet.size() || header < kHeaderSize4 || header > length) {
    return ParseError::kBadLength;
  }
  inner.source = *IpAddress::from_bytes(source);
  inner.destination = *IpAddress::from_bytes(destination);
  return inner;
}

Result<InnerIp> check6(Bytes packet) {
  Reader r(packet);
  r.take(4);
  const std::size_t length = r.u16();
  InnerIp inner;
  inner.protocol = r.u8();
  r.take(1);
  const Bytes source = r.take(16);
  const Bytes destination = r.take(16);
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (length + kHeaderSize6 != packet.size()) {
    return ParseError::kBadLength;
  }
  if (inner.protocol == 0) {  // hop-by-hop
    inner.protocol = r.u8();
    if (r.failed()) {
      return ParseError::kTruncated;
    }
  }
  inner.source = *IpAddress::from_bytes(source);
  inner.destination = *IpAddress::from_bytes(destination);
  return inner;
}

}  // namespace

bool InnerIp::is_nested() const {
  return protocol == kProtocolIp4 || protocol == kProtocolIp6 || protocol == kProtocolGre;
}

Result<InnerIp> check_inner_ip(Bytes packet) {
  if (packet.empty()) {
    return ParseError::kTruncated;
  }
  switch (packet[0] >> 4) {
    case 4:
      return check4(packet);
    case 6:
      return check6(packet);
    default:
      return ParseError::kUnknownType;
  }
}

bool is_credible_inner_source(const IpAddress& source) {
  if (source.is_multicast() || source.is_loopback()) {
    return false;
  }
  const Bytes octets = source.bytes();
  if (source.is_ip4()) {
    return octets[0] != 255;
  }
  // IPv4-compatible ::/96 and IPv4-mapped ::ffff:0:0/96.
  const bool zeros = std::ranges::all_of(octets.first(10), [](std::uint8_t o) { return o == 0; });
  const bool compatible = octets[10] == 0 && octets[11] == 0;
  const bool mapped = octets[10] == 0xFF && octets[11] == 0xFF;
  return source.is_unspecified() || !zeros || (!compatible && !mapped);
}

}  // namespace hearthcast::wire
