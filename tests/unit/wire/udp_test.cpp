#include "tunnelmgr/wire/udp.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/ip6.hpp"
#include "tunnelmgr/wire/udp_packet.hpp"

namespace hearthcast::wire {
namespace {

const UdpPacketHeader kHeader6{.source = {ip("2001:db8::1"), 5000},
                               .destination = {ip("ff3e::8000:1"), 1234},
                               .hop_limit = 15,
                               .traffic_class = 0x88};
const UdpPacketHeader kHeader4{.source = {ip("192.0.2.10"), 40000},
                               .destination = {ip("232.1.1.1"), 5004},
                               .hop_limit = 3,
                               .traffic_class = 0xB8};

// The packet with `spare` octets of headroom that must stay untouched.
Buffer packet_of(const UdpPacketHeader& header, Bytes payload) {
  constexpr std::size_t kRoom = 60;
  Buffer out(kRoom, 0xEE);
  const std::size_t size = write_udp_packet_header(out, header, payload);
  EXPECT_EQ(size, inner_header_size(header.source.address.family()));
  EXPECT_EQ(out[kRoom - size - 1], 0xEE);
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(kRoom - size));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

TEST(UdpPacket, HasTheRightOctets) {
  EXPECT_EQ(packet_of(kHeader6, hex("4706")),
            hex("68800000 000a 11 0f 20010db8000000000000000000000001 ff3e0000000000000000000080000001"
                "1388 04d2 000a f37f 4706"));
  EXPECT_EQ(packet_of(kHeader4, hex("470601")),
            hex("45b8001f 00004000 0311cc09 c000020a e8010101 9c40 138c 000b 5cf8 470601"));
}

TEST(UdpPacket, ReadsBack) {
  for (const auto& header : {kHeader4, kHeader6}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1316}, std::size_t{1472}}) {
      const Buffer payload(size, 0x47);
      const Buffer packet = packet_of(header, payload);
      const auto decoded = decode_udp_packet(packet);
      ASSERT_TRUE(decoded) << size;
      EXPECT_EQ(decoded->header, header);
      EXPECT_TRUE(equal(decoded->payload, payload));
    }
  }
}

// What the kernel adds to a header that leaves the checksum to it is what we write ourselves.
TEST(UdpPacket, ForOffloadLacksOnlyTheChecksumOfThePayload) {
  for (const auto& header : {kHeader4, kHeader6}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{3}, std::size_t{1316}, std::size_t{60000}}) {
      const Buffer payload(size, 0x47);
      const Buffer whole = packet_of(header, payload);
      Buffer partial(48);
      const std::size_t headers = write_udp_packet_header_for_offload(partial, header, size);
      EXPECT_EQ(headers, inner_header_size(header.source.address.family()));
      partial.erase(partial.begin(), partial.begin() + static_cast<std::ptrdiff_t>(48 - headers));
      partial.insert(partial.end(), payload.begin(), payload.end());
      ASSERT_EQ(partial.size(), whole.size());
      const std::size_t udp = headers - kUdpHeaderSize;
      const std::uint16_t value = checksum(Bytes(partial).subspan(udp));
      partial[udp + 6] = static_cast<std::uint8_t>(value >> 8);
      partial[udp + 7] = static_cast<std::uint8_t>(value);
      EXPECT_EQ(partial, whole) << size;
    }
  }
}

TEST(UdpPacket, RefusesEveryPrefix) {
  expect_no_prefix_decodes(packet_of(kHeader4, hex("aabbcc")), decode_udp_packet);
  expect_no_prefix_decodes(packet_of(kHeader6, hex("aabbcc")), decode_udp_packet);
}

TEST(UdpPacket, RefusesEveryFlippedBitOfItsUdpPart) {
  for (const auto& header : {kHeader4, kHeader6}) {
    const Buffer whole = packet_of(header, hex("0102030405"));
    for (std::size_t at = inner_header_size(header.source.address.family()) - 8; at < whole.size(); ++at) {
      Buffer changed = whole;
      changed[at] ^= 0x10;
      EXPECT_FALSE(decode_udp_packet(changed)) << at;
    }
  }
}

TEST(UdpPacket, RefusesWhatIsNotOneWholeUdpDatagram) {
  Buffer fragment = packet_of(kHeader4, hex("00"));
  fragment[6] = 0x20;  // more fragments instead of DF, and the checksum that belongs to it
  fragment[10] = 0xEC;
  fragment[11] = 0x0B;
  EXPECT_EQ(decode_udp_packet(fragment).error(), ParseError::kUnsupported);
  const Buffer icmp = encode_ip6({.next_header = 58, .hop_limit = 1}, hex("8000000000000000"));
  EXPECT_EQ(decode_udp_packet(icmp).error(), ParseError::kUnsupported);
}

TEST(Udp, ZeroChecksumIsForIpv4Only) {
  const Buffer segment = hex("1388 04d2 0009 0000 01");
  EXPECT_TRUE(decode_udp(segment, ip("192.0.2.1"), ip("232.1.1.1")));
  EXPECT_EQ(decode_udp(segment, ip("2001:db8::1"), ip("ff3e::1")).error(), ParseError::kBadChecksum);
}

TEST(Udp, WritesAChecksumOfZeroAsAllOnes) {
  // Searched: a payload word for which the sum is 0xffff.
  bool seen = false;
  for (unsigned word = 0; word <= 0xFFFF; ++word) {
    const Buffer payload{static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
    const Buffer segment = encode_udp({1, 2, payload}, ip("192.0.2.1"), ip("192.0.2.2"));
    ASSERT_FALSE(segment[6] == 0 && segment[7] == 0);
    if (segment[6] == 0xFF && segment[7] == 0xFF) {
      EXPECT_TRUE(decode_udp(segment, ip("192.0.2.1"), ip("192.0.2.2")));
      seen = true;
    }
  }
  EXPECT_TRUE(seen);
}

TEST(Udp, RefusesLengthsThatCannotBe) {
  EXPECT_EQ(decode_udp(hex("1388 04d2 0007 0000"), ip("192.0.2.1"), ip("192.0.2.2")).error(),
            ParseError::kBadLength);
  EXPECT_EQ(decode_udp(hex("1388 04d2 0009 0000"), ip("192.0.2.1"), ip("192.0.2.2")).error(),
            ParseError::kTruncated);
}

}  // namespace
}  // namespace hearthcast::wire
