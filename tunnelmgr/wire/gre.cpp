#include "tunnelmgr/wire/gre.hpp"

#include <algorithm>
#include <cassert>

#include "tunnelmgr/wire/checksum.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::uint16_t kChecksumPresent = 0x8000;
constexpr std::uint16_t kKeyPresent = 0x2000;
constexpr std::uint16_t kSequencePresent = 0x1000;
constexpr std::uint16_t kRefused = 0x4C00;  // bits 1, 4, 5: RFC 2784 section 2.3
constexpr std::uint16_t kVersion = 0x0007;

void put_u32(MutableBytes out, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    out[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  }
}

}  // namespace

Result<GrePacket> decode_gre(Bytes packet) {
  Reader r(packet);
  const std::uint16_t flags = r.u16();
  GrePacket result;
  GreHeader& h = result.header;
  h.protocol = r.u16();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if ((flags & kVersion) != 0) {
    return ParseError::kUnsupported;
  }
  if ((flags & kRefused) != 0) {
    return ParseError::kBadValue;
  }
  h.checksum = (flags & kChecksumPresent) != 0;
  if (h.checksum) {
    r.take(4);  // checksum, reserved
  }
  if ((flags & kKeyPresent) != 0) {
    h.key = r.u32();
  }
  if ((flags & kSequencePresent) != 0) {
    h.sequence = r.u32();
  }
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (h.checksum && checksum(packet) != 0) {
    return ParseError::kBadChecksum;
  }
  result.payload = r.rest();
  return result;
}

std::size_t gre_header_size(const GreHeader& header) {
  return 4U + (header.checksum ? 4U : 0U) + (header.key ? 4U : 0U) + (header.sequence ? 4U : 0U);
}

std::size_t write_gre_header(MutableBytes headroom, const GreHeader& header, Bytes payload) {
  const std::size_t size = gre_header_size(header);
  assert(headroom.size() >= size);
  const MutableBytes out = headroom.last(size);
  const auto flags =
      static_cast<std::uint32_t>((header.checksum ? kChecksumPresent : 0) | (header.key ? kKeyPresent : 0) |
                                 (header.sequence ? kSequencePresent : 0));
  put_u32(out, flags << 16 | header.protocol);
  std::size_t at = 4;
  if (header.checksum) {
    put_u32(out.subspan(at), 0);
    at += 4;
  }
  if (header.key) {
    put_u32(out.subspan(at), *header.key);
    at += 4;
  }
  if (header.sequence) {
    put_u32(out.subspan(at), *header.sequence);
  }
  if (header.checksum) {
    Checksum sum;
    sum.add(out);
    sum.add(payload);
    put_u32(out.subspan(4), std::uint32_t{sum.value()} << 16);
  }
  return size;
}

Buffer encode_gre(const GreHeader& header, Bytes payload) {
  Buffer out(gre_header_size(header));
  write_gre_header(out, header, payload);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

}  // namespace hearthcast::wire
