#include "tunnelmgr/tunnel/tcp_segment.hpp"

#include <gtest/gtest.h>

#include "tests/unit/tunnel/tcp_packets.hpp"

namespace hearthcast::tunnel {
namespace {

using tcp::kAck;
using tcp::kSyn;
using tcp::kSynAck;

const IpAddress kFrom = *IpAddress::parse("fd01::2");
const IpAddress kTo = *IpAddress::parse("fd01::1");

Buffer with_options(std::string_view hex_options, std::uint8_t flags = kSyn) {
  return tcp::segment(kFrom, kTo, 49153, 8871, flags, from_hex(hex_options).value());
}

std::string options_of(Bytes segment) { return to_hex(segment.subspan(20)); }

bool checks_out(Bytes segment) {
  wire::Checksum sum;
  sum.add_pseudo_header(kFrom, kTo, 6, static_cast<std::uint32_t>(segment.size()));
  sum.add(segment);
  return sum.value() == 0;
}

TEST(TcpSegment, PortsAreRead) {
  EXPECT_EQ(decode_tcp_ports(with_options("")), (TcpPorts{49153, 8871}));
  EXPECT_EQ(decode_tcp_ports(with_options("020405b4")), (TcpPorts{49153, 8871}));
}

TEST(TcpSegment, OnlyASynWithoutAckBeginsAConnection) {
  EXPECT_TRUE(begins_connection(with_options("", kSyn)));
  EXPECT_FALSE(begins_connection(with_options("", kSynAck)));
  EXPECT_FALSE(begins_connection(with_options("", kAck)));
}

TEST(TcpSegment, EveryPrefixOfAHeaderIsRejected) {
  const Buffer whole = with_options("020405b4");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_tcp_ports(Bytes(whole).first(size))) << size;
  }
}

TEST(TcpSegment, ALengthBelowTheHeadersOwnIsRejected) {
  Buffer broken = with_options("");
  broken[12] = 0x40;
  EXPECT_FALSE(decode_tcp_ports(broken));
}

TEST(TcpSegment, ALargeOfferIsLoweredAndTheChecksumStaysRight) {
  for (const std::uint8_t flags : {kSyn, kSynAck}) {
    Buffer segment = with_options("020404c4", flags);
    ASSERT_TRUE(checks_out(segment));
    limit_segment_size(segment, 1060);
    EXPECT_EQ(options_of(segment), "02040424");
    EXPECT_TRUE(checks_out(segment));
  }
}

TEST(TcpSegment, TheOfferIsFoundAtEvenAndAtOddPlacesBetweenOthers) {
  // What Linux sends; and with one no-operation before it.
  Buffer usual = with_options("020404c40402080a00112233000000000103030a");
  limit_segment_size(usual, 1060);
  EXPECT_EQ(options_of(usual), "020404240402080a00112233000000000103030a");
  EXPECT_TRUE(checks_out(usual));
  Buffer odd = with_options("01020404c4010101");
  limit_segment_size(odd, 1060);
  EXPECT_EQ(options_of(odd), "0102040424010101");
  EXPECT_TRUE(checks_out(odd));
}

TEST(TcpSegment, EveryOfferComesOutRight) {
  for (unsigned offered = 1; offered <= 0xffff; offered += 97) {
    for (const std::uint16_t most : {std::uint16_t{256}, std::uint16_t{1060}, std::uint16_t{0xfffe}}) {
      Buffer options{2, 4, static_cast<std::uint8_t>(offered >> 8), static_cast<std::uint8_t>(offered)};
      Buffer segment = tcp::segment(kFrom, kTo, 1, 2, kSyn, options);
      limit_segment_size(segment, most);
      const unsigned now = static_cast<unsigned>(segment[22] << 8 | segment[23]);
      ASSERT_EQ(now, std::min<unsigned>(offered, most));
      ASSERT_TRUE(checks_out(segment)) << offered << " " << most;
    }
  }
}

TEST(TcpSegment, WhatOffersLittleOrNothingStaysAsItIs) {
  for (const Buffer& segment : {with_options("02040218"), with_options(""), with_options("04020101"),
                                with_options("020404c4", kAck)}) {
    Buffer same = segment;
    limit_segment_size(same, 1060);
    EXPECT_EQ(same, segment);
  }
}

TEST(TcpSegment, BrokenOptionsEndTheSearch) {
  // Behind the end of options; a length of 0, of 1, beyond the header; of another length than four; cut off.
  for (const char* options : {"00020404c4000000", "08000204ffff0101", "0801020404c40101", "08ff020404c40101",
                              "0203ffff01010101", "0101010101010102", "01010101010102ff"}) {
    Buffer segment = with_options(options);
    const Buffer before = segment;
    limit_segment_size(segment, 1060);
    EXPECT_EQ(segment, before) << options;
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
