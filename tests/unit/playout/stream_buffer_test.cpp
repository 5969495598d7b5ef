#include "tunnelmgr/playout/stream_buffer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/playout/ts_maker.hpp"
#include "tunnelmgr/playout/payload.hpp"
#include "tunnelmgr/playout/stream_check.hpp"
#include "tunnelmgr/wire/rtp.hpp"

namespace hearthcast::playout {
namespace {

constexpr std::uint64_t kPacket = wire::kTsPacketSize;

Buffer with_rtp(Bytes payload) {
  wire::RtpHeader header;
  header.payload_type = wire::kRtpPayloadMp2t;
  header.sequence = 9;
  return wire::encode_rtp(header, payload);
}

Buffer content(const StreamBuffer& buffer, std::uint64_t from) {
  Buffer all;
  if (const auto pieces = buffer.ring().read(from)) {
    for (const auto piece : *pieces) {
      all.insert(all.end(), piece.begin(), piece.end());
    }
  }
  return all;
}

TEST(StreamBuffer, TheFirstPlayerGetsEverything) {
  TsMaker ts;
  StreamBuffer buffer;
  EXPECT_EQ(buffer.start(), 0U);
  const auto datagram = joined({ts.more(), ts.more()});
  buffer.on_datagram(datagram);
  EXPECT_EQ(buffer.start(), 0U);
  EXPECT_EQ(content(buffer, 0), datagram);
}

TEST(StreamBuffer, ALatePlayerBeginsAtTheTableBeforeAPicture) {
  TsMaker ts;
  StreamBuffer buffer;
  buffer.on_datagram(joined(
      {ts.more(), ts.table(), ts.sound(), ts.picture(true), ts.more(), ts.table(), ts.picture(false)}));
  EXPECT_EQ(buffer.start(), 1 * kPacket) << "a picture that needs others is no start, nor is a table alone";
  buffer.on_datagram(joined({ts.picture(true), ts.more()}));
  EXPECT_EQ(buffer.start(), 5 * kPacket);
}

TEST(StreamBuffer, RadioBeginsAtTheLatestTable) {
  TsMaker ts;
  StreamBuffer buffer;
  buffer.on_datagram(joined({ts.table(), ts.sound(), ts.table(), ts.sound()}));
  EXPECT_EQ(buffer.start(), 2 * kPacket);
}

TEST(StreamBuffer, AStartThatIsGoneIsNoStart) {
  TsMaker ts;
  StreamBuffer buffer(10 * kPacket);
  buffer.on_datagram(joined({ts.table(), ts.picture(true)}));
  for (int n = 0; n < 9; ++n) {
    buffer.on_datagram(ts.more());
  }
  EXPECT_EQ(buffer.start(), 11 * kPacket) << "begin with what comes";
  buffer.on_datagram(joined({ts.table(), ts.picture(true)}));
  EXPECT_EQ(buffer.start(), 11 * kPacket);
  EXPECT_EQ(content(buffer, buffer.start()).size(), 2 * kPacket);
}

TEST(StreamBuffer, RtpHeadersAreTakenOff) {
  TsMaker ts;
  StreamBuffer buffer;
  const auto packets = joined({ts.table(), ts.picture(true)});
  buffer.on_datagram(with_rtp(packets));
  EXPECT_TRUE(buffer.rtp());
  EXPECT_EQ(content(buffer, 0), packets);
  buffer.on_datagram(joined({ts.more()}));
  EXPECT_FALSE(buffer.rtp());
}

TEST(StreamBuffer, CountsWhatIsMissing) {
  TsMaker ts;
  StreamBuffer buffer;
  StreamCheck check;
  const auto feed = [&](const Buffer& datagram) {
    buffer.on_datagram(datagram);
    check.on_datagram(datagram);
  };
  feed(joined({ts.table(), ts.picture(true), ts.more()}));
  feed(joined({ts.sound(), ts.more()}));
  EXPECT_EQ(buffer.continuity_errors(), 0U);
  ts.lose(kVideoPid);
  feed(joined({ts.more(), ts.sound()}));
  EXPECT_EQ(buffer.continuity_errors(), 1U);
  EXPECT_EQ(check.continuity_errors(), 1U);
}

TEST(StreamBuffer, WhatIsNoTransportStreamIsPassedOn) {
  StreamBuffer buffer;
  StreamCheck check;
  const Buffer text{'h', 'e', 'l', 'l', 'o'};
  buffer.on_datagram(text);
  buffer.on_datagram({});
  check.on_datagram(text);
  check.on_datagram({});
  EXPECT_EQ(content(buffer, 0), text);
  EXPECT_EQ(check.foreign(), 2U);
  EXPECT_EQ(check.continuity_errors(), 0U);
}

TEST(Payload, ABrokenRtpHeaderIsNoRtp) {
  const Buffer cut{0x80, 33, 0, 1};
  EXPECT_FALSE(payload_of(cut).rtp);
  EXPECT_TRUE(equal(payload_of(cut).octets, cut));
  StreamCheck check;
  check.on_datagram(with_rtp(TsMaker().table()));
  EXPECT_TRUE(check.rtp());
  EXPECT_EQ(check.foreign(), 0U);
}

}  // namespace
}  // namespace hearthcast::playout
