#include "tunnelmgr/wire/pcp.hpp"

#include <algorithm>

namespace hearthcast::wire {
namespace {

constexpr std::uint8_t kAnnounce = 0;
constexpr std::uint8_t kMap = 1;
constexpr std::uint8_t kIsAnswer = 0x80;
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kMaxSize = 1100;  // RFC 6887 section 7
constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void put(Writer& to, const IpAddress& address) {
  if (address.is_ip4()) {
    to.bytes(kMapped);
  }
  to.bytes(address.bytes());
}

IpAddress take_address(Reader& from) {
  const Bytes octets = from.take(16);
  if (octets.size() != 16) {
    return {};
  }
  return std::ranges::equal(octets.first(12), kMapped) ? *IpAddress::from_bytes(octets.subspan(12))
                                                       : *IpAddress::from_bytes(octets);
}

void put_map(Writer& to, const PcpNonce& nonce, std::uint16_t internal_port, const Endpoint& external) {
  to.bytes(nonce);
  to.u8(kUdp);
  to.zeros(3);
  to.u16(internal_port);
  to.u16(external.port);
  put(to, external.address);
}

// Nothing for another protocol than UDP.
std::optional<PcpMapping> take_map(Reader& from) {
  PcpMapping mapping;
  std::ranges::copy(from.take(mapping.nonce.size()), mapping.nonce.begin());
  const std::uint8_t protocol = from.u8();
  (void)from.take(3);
  mapping.internal_port = from.u16();
  mapping.external.port = from.u16();
  mapping.external.address = take_address(from);
  return protocol == kUdp ? std::optional(mapping) : std::nullopt;
}

std::optional<ParseError> wrong_size(Bytes datagram) {
  if (datagram.size() > kMaxSize || datagram.size() % 4 != 0) {
    return ParseError::kBadLength;
  }
  return std::nullopt;
}

}  // namespace

Buffer encode_pcp(const PcpMapRequest& request) {
  Buffer out;
  Writer to(out);
  to.u8(kPcpVersion);
  to.u8(kMap);
  to.zeros(2);
  to.u32(request.lifetime);
  put(to, request.client);
  put_map(to, request.nonce, request.internal_port, request.suggested);
  return out;
}

Buffer encode_pcp(const PcpAnswer& answer) {
  Buffer out;
  Writer to(out);
  to.u8(kPcpVersion);
  to.u8(kIsAnswer | (answer.mapping ? kMap : kAnnounce));
  to.zeros(1);
  to.u8(static_cast<std::uint8_t>(answer.result));
  to.u32(answer.lifetime);
  to.u32(answer.epoch);
  to.zeros(12);
  if (answer.mapping) {
    put_map(to, answer.mapping->nonce, answer.mapping->internal_port, answer.mapping->external);
  }
  return out;
}

Result<PcpMapRequest> decode_pcp_request(Bytes datagram) {
  Reader from(datagram);
  const std::uint8_t version = from.u8();
  const std::uint8_t opcode = from.u8();
  (void)from.take(2);
  PcpMapRequest request;
  request.lifetime = from.u32();
  request.client = take_address(from);
  const auto mapping = take_map(from);
  if (from.failed()) {
    return ParseError::kTruncated;
  }
  if (version != kPcpVersion) {
    return ParseError::kUnsupported;
  }
  if (opcode != kMap || !mapping) {
    return ParseError::kUnknownType;
  }
  if (const auto wrong = wrong_size(datagram)) {
    return *wrong;
  }
  request.nonce = mapping->nonce;
  request.internal_port = mapping->internal_port;
  request.suggested = mapping->external;
  return request;
}

Result<PcpAnswer> decode_pcp_answer(Bytes datagram) {
  Reader from(datagram);
  const std::uint8_t version = from.u8();
  const std::uint8_t opcode = from.u8();
  (void)from.take(1);
  PcpAnswer answer;
  answer.result = PcpResult{from.u8()};
  answer.lifetime = from.u32();
  answer.epoch = from.u32();
  (void)from.take(12);
  if (from.failed()) {
    return ParseError::kTruncated;
  }
  if (version != kPcpVersion) {
    return ParseError::kUnsupported;
  }
  if (const auto wrong = wrong_size(datagram)) {
    return *wrong;
  }
  if (opcode == (kIsAnswer | kMap)) {
    answer.mapping = take_map(from);
    if (from.failed()) {
      return ParseError::kTruncated;
    }
    if (!answer.mapping) {
      return ParseError::kUnknownType;
    }
  } else if (opcode != (kIsAnswer | kAnnounce)) {
    return ParseError::kUnknownType;
  }
  return answer;
}

}  // namespace hearthcast::wire
