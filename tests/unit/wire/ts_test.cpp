#include "tunnelmgr/wire/ts.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/ts_continuity.hpp"

namespace hearthcast::wire {
namespace {

// A packet that begins with these octets and is filled up with 0xff.
Buffer packet(const std::string& head) {
  Buffer octets = hex(head);
  octets.resize(kTsPacketSize, 0xFF);
  return octets;
}

TEST(Ts, ReadsTheFirstPacketOfAVideoStream) {  // as ffmpeg writes it
  const Buffer octets = packet("47410030 07 50 00007f217e00 000001e0 00008080");
  const auto ts = decode_ts(octets);
  ASSERT_TRUE(ts);
  EXPECT_EQ(ts->pid, 0x100);
  EXPECT_TRUE(ts->payload_unit_start);
  EXPECT_TRUE(ts->random_access);
  EXPECT_FALSE(ts->discontinuity);
  EXPECT_FALSE(ts->transport_error);
  EXPECT_EQ(ts->continuity, 0);
  EXPECT_EQ(ts->scrambling, 0);
  EXPECT_EQ(ts->pcr, (0x7F21ULL * 2) * 300);
  ASSERT_TRUE(ts->has_payload);
  EXPECT_EQ(ts->payload.size(), 176U);
  EXPECT_TRUE(equal(ts->payload.first(4), hex("000001e0")));
}

TEST(Ts, ReadsTheLargestPcr) {
  EXPECT_EQ(decode_ts(packet("470100 20 b7 10 ffffffff ff2b"))->pcr, 0x1FFFFFFFFULL * 300 + 299);
}

TEST(Ts, ReadsFlagsAndOddSizesOfTheAdaptationField) {
  EXPECT_TRUE(decode_ts(packet("478100 10"))->transport_error);
  EXPECT_EQ(decode_ts(packet("470100 d5"))->scrambling, 3);
  EXPECT_EQ(decode_ts(packet("470100 d5"))->continuity, 5);
  EXPECT_TRUE(decode_ts(packet("470100 30 01 80"))->discontinuity);
  EXPECT_EQ(decode_ts(packet("470100 30 00"))->payload.size(), 183U);
  EXPECT_EQ(decode_ts(packet("470100 30 b7 00"))->payload.size(), 0U);
  EXPECT_FALSE(decode_ts(packet("470100 20 b7 00"))->has_payload);
}

TEST(Ts, RefusesWhatIsNoPacket) {
  expect_no_prefix_decodes(packet("470100 10"), decode_ts);
  Buffer longer = packet("470100 10");
  longer.push_back(0);
  EXPECT_EQ(decode_ts(longer).error(), ParseError::kBadLength);
  EXPECT_EQ(decode_ts(packet("480100 10")).error(), ParseError::kUnknownType);
  EXPECT_EQ(decode_ts(packet("470100 00")).error(), ParseError::kBadValue);
  EXPECT_EQ(decode_ts(packet("470100 30 b8")).error(), ParseError::kBadLength) << "field over the end";
  EXPECT_EQ(decode_ts(packet("470100 30 06 10 00000000 00")).error(), ParseError::kBadLength) << "half a PCR";
}

TEST(Ts, KnowsADatagramOfPackets) {
  Buffer seven;
  for (int i = 0; i < 7; ++i) {
    const Buffer one = packet("470100 10");
    seven.insert(seven.end(), one.begin(), one.end());
  }
  EXPECT_TRUE(is_ts_datagram(seven));
  EXPECT_FALSE(is_ts_datagram({}));
  EXPECT_FALSE(is_ts_datagram(Bytes(seven).first(1315)));
  seven[188] = 0x46;
  EXPECT_FALSE(is_ts_datagram(seven));
}

TsPacket counted(std::uint8_t continuity) {
  TsPacket ts;
  ts.pid = 0x100;
  ts.continuity = continuity;
  ts.has_payload = true;
  return ts;
}

TEST(TsContinuity, CountsGapsOnly) {
  TsContinuity watch;
  for (std::uint8_t i = 5; i < 40; ++i) {
    EXPECT_TRUE(watch.on_packet(counted(i & 0x0F))) << int{i};  // starts anywhere, wraps
  }
  EXPECT_FALSE(watch.on_packet(counted(10)));  // after 7
  EXPECT_TRUE(watch.on_packet(counted(11)));
  EXPECT_EQ(watch.errors(), 1U);
}

TEST(TsContinuity, AllowsOneRepetition) {
  TsContinuity watch;
  watch.on_packet(counted(3));
  EXPECT_TRUE(watch.on_packet(counted(3)));
  EXPECT_FALSE(watch.on_packet(counted(3)));
  EXPECT_TRUE(watch.on_packet(counted(4)));
}

TEST(TsContinuity, KnowsTheExceptions) {
  TsContinuity watch;
  watch.on_packet(counted(3));
  TsPacket adaptation_only = counted(3);
  adaptation_only.has_payload = false;
  EXPECT_TRUE(watch.on_packet(adaptation_only));
  EXPECT_TRUE(watch.on_packet(adaptation_only));
  TsPacket jump = counted(9);
  jump.discontinuity = true;
  EXPECT_TRUE(watch.on_packet(jump));
  TsPacket null = counted(1);
  null.pid = kTsPidNull;
  EXPECT_TRUE(watch.on_packet(null));
  null.continuity = 7;
  EXPECT_TRUE(watch.on_packet(null));
  TsPacket other = counted(0);
  other.pid = 0x101;
  EXPECT_TRUE(watch.on_packet(other)) << "each PID counts for itself";
  watch.restart();
  EXPECT_TRUE(watch.on_packet(counted(2)));
  EXPECT_EQ(watch.errors(), 0U);
}

}  // namespace
}  // namespace hearthcast::wire
