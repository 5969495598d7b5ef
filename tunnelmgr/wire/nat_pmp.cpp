#include "tunnelmgr/wire/nat_pmp.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::uint8_t kVersion = 0;
constexpr std::uint8_t kAddress = 0;
constexpr std::uint8_t kMapUdp = 1;
constexpr std::uint8_t kIsAnswer = 0x80;

}  // namespace

Buffer encode_nat_pmp_address_request() { return {kVersion, kAddress}; }

Buffer encode_nat_pmp(const NatPmpMapRequest& request) {
  Buffer out;
  Writer to(out);
  to.u8(kVersion);
  to.u8(kMapUdp);
  to.zeros(2);
  to.u16(request.internal_port);
  to.u16(request.external_port);
  to.u32(request.lifetime);
  return out;
}

Buffer encode_nat_pmp(const NatPmpAnswer& answer) {
  Buffer out;
  Writer to(out);
  to.u8(kVersion);
  to.u8(kIsAnswer | (answer.mapping ? kMapUdp : kAddress));
  to.u16(static_cast<std::uint16_t>(answer.result));
  to.u32(answer.epoch);
  if (answer.mapping) {
    to.u16(answer.mapping->internal_port);
    to.u16(answer.mapping->external_port);
    to.u32(answer.mapping->lifetime);
  } else if (answer.external) {
    to.bytes(answer.external->bytes());
  }
  return out;
}

Result<NatPmpAnswer> decode_nat_pmp_answer(Bytes datagram) {
  Reader from(datagram);
  const std::uint8_t version = from.u8();
  const std::uint8_t opcode = from.u8();
  NatPmpAnswer answer;
  answer.result = NatPmpResult{from.u16()};
  answer.epoch = from.u32();
  if (from.failed()) {
    return ParseError::kTruncated;
  }
  if (version != kVersion) {
    return ParseError::kUnsupported;
  }
  if ((opcode & kIsAnswer) == 0) {
    return ParseError::kUnknownType;
  }
  if (answer.result != NatPmpResult::kSuccess) {
    return answer;  // whatever follows says nothing
  }
  if (opcode == (kIsAnswer | kAddress)) {
    answer.external = IpAddress::ip4(from.u32());
  } else if (opcode == (kIsAnswer | kMapUdp)) {
    answer.mapping.emplace();
    answer.mapping->internal_port = from.u16();
    answer.mapping->external_port = from.u16();
    answer.mapping->lifetime = from.u32();
  } else {
    return ParseError::kUnknownType;
  }
  if (from.failed()) {
    return ParseError::kTruncated;
  }
  return from.left() == 0 ? Result<NatPmpAnswer>(answer) : ParseError::kBadLength;
}

}  // namespace hearthcast::wire
