#include "tunnelmgr/tunnel/quick_packet.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kGreHeader = 4;

Bytes payload_of(Bytes gre) { return gre.subspan(kGreHeader); }

TEST(NackPacket, HasGoldenOctets) {
  Nack nack(9);
  EXPECT_TRUE(nack.add({0x01020304, 1}));
  EXPECT_TRUE(nack.add({0xFFFFFFFE, 0x0203}));
  QuickRoom room;
  const auto gre = encode(nack, room);
  EXPECT_EQ(to_hex(gre),
            "000088b5"
            "0102"
            "00000009"
            "01020304"
            "0001"
            "fffffffe"
            "0203");
  EXPECT_EQ(quick_kind(payload_of(gre)), QuickKind::kNack);
  const auto decoded = decode_nack(payload_of(gre));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, nack);
  EXPECT_EQ(decoded->packets(), 1U + 0x0203U);
}

TEST(NackPacket, NumbersInARowBecomeOneRangeAlsoAcrossTheWrap) {
  Nack nack(1);
  for (const std::uint32_t sequence : {0xFFFFFFFEU, 0xFFFFFFFFU, 0U, 1U, 3U, 4U}) {
    EXPECT_TRUE(nack.add(sequence));
  }
  ASSERT_EQ(nack.ranges().size(), 2U);
  EXPECT_EQ(nack.ranges()[0], (SequenceRange{0xFFFFFFFE, 4}));
  EXPECT_EQ(nack.ranges()[1], (SequenceRange{3, 2}));
}

TEST(NackPacket, ARangeThatIsFullIsFollowedByAnother) {
  Nack nack(1);
  EXPECT_TRUE(nack.add({0, 0xFFFF}));
  EXPECT_TRUE(nack.add(0xFFFF));
  EXPECT_EQ(nack.ranges().size(), 2U);
  EXPECT_EQ(nack.packets(), 0x10000U);
}

TEST(NackPacket, TakesSixtyFourRangesAndNoMore) {
  Nack nack(1);
  for (std::uint32_t n = 0; n < kMaxNackRanges; ++n) {
    EXPECT_TRUE(nack.add(n * 2));
  }
  EXPECT_FALSE(nack.add(1000));
  EXPECT_EQ(nack.packets(), kMaxNackRanges);
  QuickRoom room;
  const auto gre = encode(nack, room);
  EXPECT_EQ(gre.size(), kMaxQuickSize);
  const auto decoded = decode_nack(payload_of(gre));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, nack);
  Buffer longer(payload_of(gre).begin(), payload_of(gre).end());
  longer.insert(longer.end(), {0, 0, 0, 1, 0, 1});
  EXPECT_FALSE(decode_nack(longer));
}

TEST(PreludePacket, HasGoldenOctets) {
  const Prelude prelude{7, 0xFFFFFF00, 0x0300};
  QuickRoom room;
  const auto gre = encode(prelude, room);
  EXPECT_EQ(to_hex(gre),
            "000088b5"
            "0105"
            "00000007"
            "ffffff00"
            "00000300");
  EXPECT_EQ(quick_kind(payload_of(gre)), QuickKind::kPrelude);
  const auto decoded = decode_prelude(payload_of(gre));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, prelude);
}

TEST(QuickPacket, EveryPrefixIsRejected) {
  Nack nack(9);
  (void)nack.add({5, 2});
  (void)nack.add({9, 1});
  QuickRoom room;
  const auto whole = payload_of(encode(nack, room));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    // A prefix that ends after a whole range is a NACK of its own.
    EXPECT_EQ(static_cast<bool>(decode_nack(whole.first(n))), n == 12) << n;
  }
  QuickRoom other;
  const auto prelude = payload_of(encode(Prelude{1, 2, 3}, other));
  for (std::size_t n = 0; n < prelude.size(); ++n) {
    EXPECT_FALSE(decode_prelude(prelude.first(n))) << n;
  }
}

TEST(QuickPacket, RefusesWhatNoSenderSends) {
  const auto nack = [](const char* hex) { return static_cast<bool>(decode_nack(*from_hex(hex))); };
  EXPECT_TRUE(nack("010200000009000000050001"));
  EXPECT_FALSE(nack("020200000009000000050001"));    // version 2
  EXPECT_FALSE(nack("010500000009000000050001"));    // a prelude
  EXPECT_FALSE(nack("010200000009000000050000"));    // nothing asked for
  EXPECT_FALSE(nack("01020000000900000005000100"));  // an octet too many
  const auto prelude = [](const char* hex) { return static_cast<bool>(decode_prelude(*from_hex(hex))); };
  EXPECT_TRUE(prelude("0105000000010000000200000003"));
  EXPECT_TRUE(prelude("010500000001000000020000000399"));  // octets of tomorrow
  EXPECT_FALSE(prelude("0105000000010000000200000000"));   // no packets
  EXPECT_FALSE(prelude("0102000000010000000200000003"));   // a NACK
  EXPECT_FALSE(prelude("0205000000010000000200000003"));   // version 2
}

TEST(QuickPacket, OtherControlPacketsAreNotQuick) {
  const auto kind = [](const char* hex) { return quick_kind(*from_hex(hex)); };
  EXPECT_EQ(kind("0100000000010000000141"), std::nullopt);  // a fragment
  EXPECT_EQ(kind("0101000000010000"), std::nullopt);        // an acknowledgement
  EXPECT_EQ(kind("0103"), std::nullopt);
  EXPECT_EQ(kind("0202"), std::nullopt);
  EXPECT_EQ(kind("01"), std::nullopt);
  EXPECT_EQ(kind(""), std::nullopt);
}

}  // namespace
}  // namespace hearthcast::tunnel
