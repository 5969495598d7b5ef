// TCP segments and packets with right checksums, for tests of what looks at them.
#pragma once

#include <algorithm>
#include <string_view>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::tunnel::tcp {

inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kSynAck = 0x12;

// `options`: a multiple of four octets.
inline Buffer segment(const IpAddress& from, const IpAddress& to, std::uint16_t source_port,
                      std::uint16_t destination_port, std::uint8_t flags, Bytes options = {},
                      Bytes data = {}) {
  Buffer out;
  Writer writer(out);
  writer.u16(source_port);
  writer.u16(destination_port);
  writer.u32(1);
  writer.u32(0);
  writer.u8(static_cast<std::uint8_t>((20 + options.size()) / 4 * 16));
  writer.u8(flags);
  writer.u16(0xffff);
  writer.u32(0);
  writer.bytes(options);
  writer.bytes(data);
  wire::Checksum sum;
  sum.add_pseudo_header(from, to, 6, static_cast<std::uint32_t>(out.size()));
  sum.add(out);
  writer.patch_u16(16, sum.value());
  return out;
}

inline Buffer in_ip(const IpAddress& from, const IpAddress& to, std::uint8_t protocol, Bytes payload) {
  return from.is_ip4()
             ? wire::encode_ip4({.ttl = 64, .protocol = protocol, .source = from, .destination = to}, payload)
             : wire::encode_ip6({.next_header = protocol, .hop_limit = 64, .source = from, .destination = to},
                                payload);
}

inline Buffer packet(const IpAddress& from, const IpAddress& to, std::uint16_t source_port,
                     std::uint16_t destination_port, std::uint8_t flags = kSyn, Bytes options = {}) {
  return in_ip(from, to, 6, segment(from, to, source_port, destination_port, flags, options));
}

// The third segment of a handshake.
inline Buffer acknowledging(const IpAddress& from, const IpAddress& to, std::uint16_t source_port,
                            std::uint16_t destination_port, std::uint32_t sequence,
                            std::uint32_t acknowledged) {
  Buffer out = segment(from, to, source_port, destination_port, kAck);
  Writer writer(out);
  writer.patch_u16(4, static_cast<std::uint16_t>(sequence >> 16));
  writer.patch_u16(6, static_cast<std::uint16_t>(sequence));
  writer.patch_u16(8, static_cast<std::uint16_t>(acknowledged >> 16));
  writer.patch_u16(10, static_cast<std::uint16_t>(acknowledged));
  writer.patch_u16(16, 0);
  wire::Checksum sum;
  sum.add_pseudo_header(from, to, 6, static_cast<std::uint32_t>(out.size()));
  sum.add(out);
  writer.patch_u16(16, sum.value());
  return out;
}

}  // namespace hearthcast::tunnel::tcp
