#include "tunnelmgr/mcast/reception.hpp"

#include <gtest/gtest.h>

namespace hearthcast::mcast {
namespace {

constexpr std::int64_t kMs = 1'000'000;

struct Arrivals {
  Stream stream;
  std::int64_t now = 1'000 * kMs;
  void come(std::initializer_list<std::uint64_t> sequences) {
    for (const auto sequence : sequences) {
      now += kMs;
      stream.on_probe({1, sequence, now - 20'000}, now, 1316);
    }
  }
};

TEST(Stream, CountsWhatComesInOrder) {
  Arrivals a;
  a.come({0, 1, 2, 3});
  EXPECT_EQ(a.stream.packets(), 4U);
  EXPECT_EQ(a.stream.octets(), 4U * 1316);
  EXPECT_EQ(a.stream.lost() + a.stream.duplicates() + a.stream.reordered(), 0U);
  EXPECT_EQ(a.stream.latency().least(), 20'000);
  EXPECT_EQ(a.stream.longest_gap_ns(), kMs);
}

TEST(Stream, ALateJoinerLosesNothing) {
  Arrivals a;
  a.come({500, 501});
  EXPECT_EQ(a.stream.lost(), 0U);
  EXPECT_EQ(a.stream.first_sequence(), 500U);
}

TEST(Stream, CountsLossUntilTheMissingOneComes) {
  Arrivals a;
  a.come({0, 1, 4});
  EXPECT_EQ(a.stream.lost(), 2U);
  a.come({3});
  EXPECT_EQ(a.stream.lost(), 1U);
  EXPECT_EQ(a.stream.reordered(), 1U);
  EXPECT_EQ(a.stream.duplicates(), 0U);
}

TEST(Stream, ADuplicateIsNeitherPacketNorOutOfOrder) {
  Arrivals a;
  a.come({0, 1, 1, 0, 2});
  EXPECT_EQ(a.stream.packets(), 3U);
  EXPECT_EQ(a.stream.duplicates(), 2U);
  EXPECT_EQ(a.stream.reordered(), 0U);
  EXPECT_EQ(a.stream.lost(), 0U);
}

TEST(Stream, OneFromBeforeTheFirstCounts) {
  Arrivals a;
  a.come({10, 8});
  EXPECT_EQ(a.stream.first_sequence(), 8U);
  EXPECT_EQ(a.stream.lost(), 1U);
  EXPECT_EQ(a.stream.reordered(), 1U);
}

TEST(Stream, AJumpFurtherThanTheWindowForgetsOldOnes) {
  Arrivals a;
  a.come({0, 200'000});
  EXPECT_EQ(a.stream.lost(), 199'999U);
  a.come({199'999});
  EXPECT_EQ(a.stream.lost(), 199'998U);
  a.come({1});
  EXPECT_EQ(a.stream.ancient(), 1U);
  EXPECT_EQ(a.stream.packets(), 3U);
}

TEST(Stream, PlacesAreUsedAnewAfterAWholeTurn) {
  Arrivals a;
  for (std::uint64_t sequence = 0; sequence < 150'000; ++sequence) {
    if (sequence % 7 != 3) {
      a.stream.on_probe({1, sequence, 0}, 1, 10);
    }
  }
  EXPECT_EQ(a.stream.duplicates(), 0U);
  EXPECT_EQ(a.stream.lost(), 150'000U / 7);
}

TEST(Stream, TellsTheLongestSilence) {
  Arrivals a;
  a.come({0, 1});
  a.now += 250 * kMs;
  a.come({2, 3});
  EXPECT_EQ(a.stream.longest_gap_ns(), 251 * kMs);
}

Buffer datagram(std::uint32_t stream, std::uint64_t sequence) {
  Buffer out(100);
  encode_probe({stream, sequence, 5}, out);
  return out;
}

TEST(Reception, KeepsSendersApart) {
  Reception reception;
  EXPECT_TRUE(reception.on_datagram(datagram(1, 0), 10));
  EXPECT_TRUE(reception.on_datagram(datagram(2, 7), 10));
  EXPECT_TRUE(reception.on_datagram(datagram(1, 2), 10));
  EXPECT_FALSE(reception.on_datagram(Buffer{0x47, 1, 2}, 10));
  ASSERT_EQ(reception.streams().size(), 2U);
  EXPECT_EQ(reception.streams().at(1)->lost(), 1U);
  EXPECT_EQ(reception.streams().at(2)->lost(), 0U);
  EXPECT_EQ(reception.packets(), 3U);
  EXPECT_EQ(reception.lost(), 1U);
  EXPECT_EQ(reception.strangers(), 1U);
}

TEST(Reception, TakesOnlySoManyStreams) {
  Reception reception;
  for (std::uint32_t stream = 0; stream < 100; ++stream) {
    reception.on_datagram(datagram(stream, 0), 10);
  }
  EXPECT_EQ(reception.streams().size(), Reception::kMaxStreams);
  EXPECT_EQ(reception.strangers(), 84U);
  EXPECT_TRUE(reception.on_datagram(datagram(3, 1), 10)) << "a known one goes on";
}

}  // namespace
}  // namespace hearthcast::mcast
