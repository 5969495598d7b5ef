#include "tunnelmgr/wire/channel_data.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

TEST(ChannelData, HasTheOctetsOfTheRfc) {  // RFC 8656 section 12.4
  EXPECT_EQ(encode_channel_data(0x4001, hex("616263")), hex("40010003 616263"));
  const Buffer octets = hex("4fff0002 6869");
  const auto data = decode_channel_data(octets);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->channel, 0x4FFF);
  EXPECT_EQ(data->payload.data(), octets.data() + 4) << "a view into the datagram";
  EXPECT_EQ(data->payload.size(), 2U);
}

TEST(ChannelData, AnEmptyPayloadIsOne) { EXPECT_TRUE(decode_channel_data(hex("40000000"))->payload.empty()); }

TEST(ChannelData, PaddingOfOthersIsPassedOver) {
  EXPECT_EQ(decode_channel_data(hex("40000001 61000000"))->payload.size(), 1U);
}

TEST(ChannelData, OtherNumbersAreNoChannels) {
  for (const auto* octets : {"3fff0000", "50000000", "00010000", "7fff0000", "ffff0000"}) {
    const auto data = decode_channel_data(hex(octets));
    ASSERT_FALSE(data);
    EXPECT_EQ(data.error(), ParseError::kUnknownType) << octets;
  }
}

TEST(ChannelData, NoPrefixDecodes) {
  const auto decode = [](Bytes octets) { return decode_channel_data(octets).has_value(); };
  expect_no_prefix_decodes(encode_channel_data(0x4321, hex("0102030405")), decode);
}

TEST(ChannelData, TheHeaderAloneGoesIntoRoomInFrontOfAPayload) {
  Buffer slot = hex("ffffffff 0a0b");
  write_channel_header(slot, 0x4ABC, 2);
  EXPECT_EQ(slot, hex("4abc0002 0a0b"));
}

}  // namespace
}  // namespace hearthcast::wire
