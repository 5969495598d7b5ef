#include "tunnelmgr/wire/ip6.hpp"

#include <cassert>

namespace hearthcast::wire {
namespace {

constexpr std::size_t kFixed = 40;
constexpr std::size_t kHopByHopSize = 8;
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kPad1 = 0;
constexpr std::uint8_t kPadN = 1;
constexpr std::uint8_t kRouterAlert = 5;
constexpr std::uint8_t kMustNotSkip = 0xC0;  // RFC 8200 section 4.2: 00 skip, all else discard
constexpr std::uint16_t kRouterAlertMld = 0;

// Reads the options of a hop-by-hop header, up to its end.
Result<bool> has_router_alert(Bytes options) {
  bool found = false;
  Reader r(options);
  while (r.left() > 0) {
    const std::uint8_t type = r.u8();
    if (type == kPad1) {
      continue;
    }
    const std::uint8_t length = r.u8();
    Reader value(r.take(length));
    if (r.failed()) {
      return ParseError::kBadLength;
    }
    if (type == kRouterAlert) {
      found = found || (length == 2 && value.u16() == kRouterAlertMld);
    } else if (type != kPadN && (type & kMustNotSkip) != 0) {
      return ParseError::kUnsupported;
    }
  }
  return found;
}

}  // namespace

Result<Ip6Packet> decode_ip6(Bytes packet) {
  Reader r(packet);
  const std::uint32_t first = r.u32();
  if (packet.size() < kFixed) {
    return ParseError::kTruncated;
  }
  if (first >> 28 != 6) {
    return ParseError::kUnknownType;
  }
  Ip6Packet result;
  Ip6Header& h = result.header;
  h.traffic_class = static_cast<std::uint8_t>(first >> 20);
  h.flow_label = first & 0xFFFFF;
  const std::size_t length = r.u16();
  h.next_header = r.u8();
  h.hop_limit = r.u8();
  h.source = *IpAddress::from_bytes(r.take(16));
  h.destination = *IpAddress::from_bytes(r.take(16));
  Reader body(r.take(length));
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (h.next_header == kHopByHop) {
    h.next_header = body.u8();
    const std::size_t options = body.u8() * 8U + 6U;
    const auto alert = has_router_alert(body.take(options));
    if (body.failed()) {
      return ParseError::kBadLength;
    }
    if (!alert) {
      return alert.error();
    }
    if (h.next_header == kHopByHop) {
      return ParseError::kBadValue;  // only one, and only first: RFC 8200 section 4.1
    }
    h.router_alert = *alert;
  }
  result.payload = body.rest();
  return result;
}

Buffer encode_ip6(const Ip6Header& h, Bytes payload) {
  assert(h.source.is_ip6() && h.destination.is_ip6());
  const std::size_t length = payload.size() + (h.router_alert ? kHopByHopSize : 0);
  assert(length <= 0xFFFF);
  Buffer out;
  out.reserve(kFixed + length);
  Writer w(out);
  w.u32(std::uint32_t{6} << 28 | std::uint32_t{h.traffic_class} << 20 | (h.flow_label & 0xFFFFF));
  w.u16(static_cast<std::uint16_t>(length));
  w.u8(h.router_alert ? kHopByHop : h.next_header);
  w.u8(h.hop_limit);
  w.bytes(h.source.bytes());
  w.bytes(h.destination.bytes());
  if (h.router_alert) {
    w.u8(h.next_header);
    w.u8(0);
    w.u8(kRouterAlert);
    w.u8(2);
    w.u16(kRouterAlertMld);
    w.u8(kPadN);
    w.u8(0);
  }
  w.bytes(payload);
  return out;
}

}  // namespace hearthcast::wire
