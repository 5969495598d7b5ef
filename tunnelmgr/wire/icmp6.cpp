#include "tunnelmgr/wire/icmp6.hpp"

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/ip4.hpp"

namespace hearthcast::wire {
namespace {

std::uint16_t icmp6_checksum(Bytes message, const IpAddress& source, const IpAddress& destination) {
  Checksum sum;
  sum.add_pseudo_header(source, destination, kProtocolIcmp6, static_cast<std::uint32_t>(message.size()));
  sum.add(message);
  return sum.value();
}

}  // namespace

Result<Icmp6Message> decode_icmp6(Bytes message, const IpAddress& source, const IpAddress& destination) {
  Reader r(message);
  Icmp6Message result;
  result.type = r.u8();
  result.code = r.u8();
  r.take(2);
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (icmp6_checksum(message, source, destination) != 0) {
    return ParseError::kBadChecksum;
  }
  result.body = r.rest();
  return result;
}

Buffer encode_icmp6(const Icmp6Message& message, const IpAddress& source, const IpAddress& destination) {
  Buffer out;
  out.reserve(4 + message.body.size());
  Writer w(out);
  w.u8(message.type);
  w.u8(message.code);
  w.u16(0);
  w.bytes(message.body);
  w.patch_u16(2, icmp6_checksum(out, source, destination));
  return out;
}

}  // namespace hearthcast::wire
