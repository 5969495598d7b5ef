#include "tunnelmgr/linux/route_upcall.hpp"

#include <cstring>

namespace hearthcast::linux {
namespace {

// The same numbers in both families.
constexpr std::uint8_t kNoCache = 1;
constexpr std::uint8_t kWrongVif = 2;

struct Parts {
  std::uint8_t type = 0;
  std::uint8_t zero = 0;
  unsigned place = 0;
  Bytes source;
  Bytes group;
};

Parts read_ip4(Reader& in) {
  in.take(8);
  Parts parts;
  parts.type = in.u8();
  parts.zero = in.u8();
  const unsigned low = in.u8();
  parts.place = low | unsigned{in.u8()} << 8;
  parts.source = in.take(4);
  parts.group = in.take(4);
  return parts;
}

Parts read_ip6(Reader& in) {
  Parts parts;
  parts.zero = in.u8();
  parts.type = in.u8();
  std::uint16_t place = 0;  // in the machine's own octet order
  if (const Bytes octets = in.take(sizeof place); !octets.empty()) {
    std::memcpy(&place, octets.data(), sizeof place);
  }
  parts.place = place;
  in.take(4);
  parts.source = in.take(16);
  parts.group = in.take(16);
  return parts;
}

}  // namespace

Result<KernelUpcall> decode_route_upcall(Family family, Bytes message) {
  Reader in(message);
  const Parts parts = family == Family::kIp4 ? read_ip4(in) : read_ip6(in);
  if (in.failed()) {
    return ParseError::kTruncated;
  }
  if (parts.zero != 0) {
    return ParseError::kUnknownType;
  }
  if (parts.type != kNoCache && parts.type != kWrongVif) {
    return ParseError::kUnsupported;
  }
  const auto source = IpAddress::from_bytes(parts.source);
  const auto group = IpAddress::from_bytes(parts.group);
  if (!source || !group || source->is_multicast() || source->is_unspecified() || !group->is_multicast()) {
    return ParseError::kBadValue;
  }
  return KernelUpcall{
      parts.type == kNoCache ? KernelUpcall::Kind::kNoRoute : KernelUpcall::Kind::kWrongInterface,
      parts.place, *source, *group};
}

}  // namespace hearthcast::linux
