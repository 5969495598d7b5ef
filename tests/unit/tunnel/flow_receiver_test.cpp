#include "tunnelmgr/tunnel/flow_receiver.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace hearthcast::tunnel {
namespace {

TEST(FlowReceiver, StartsAnywhereAndWraps) {
  FlowReceiver r;
  std::uint32_t sequence = 0xFFFFFFFD;
  for (int n = 0; n < 10; ++n) {
    EXPECT_EQ(r.on_sequence(sequence++), Arrival::kNext);
  }
  EXPECT_EQ(r.received(), 10U);
  EXPECT_EQ(r.lost(), 0U);
}

TEST(FlowReceiver, CountsAGapUntilItIsFilled) {
  FlowReceiver r;
  EXPECT_EQ(r.on_sequence(5), Arrival::kNext);
  EXPECT_EQ(r.on_sequence(8), Arrival::kGap);
  EXPECT_EQ(r.lost(), 2U);
  EXPECT_EQ(r.on_sequence(6), Arrival::kLate);
  EXPECT_EQ(r.lost(), 1U);
  EXPECT_EQ(r.on_sequence(6), Arrival::kDuplicate);
  EXPECT_EQ(r.on_sequence(8), Arrival::kDuplicate);
  EXPECT_EQ(r.on_sequence(9), Arrival::kNext);
  EXPECT_EQ(r.received(), 4U);
  EXPECT_EQ(r.reordered(), 1U);
  EXPECT_EQ(r.duplicates(), 2U);
}

TEST(FlowReceiver, WhatCameBeforeTheFirstIsNoLoss) {
  FlowReceiver r;
  EXPECT_EQ(r.on_sequence(100), Arrival::kNext);
  EXPECT_EQ(r.on_sequence(99), Arrival::kDuplicate);
  EXPECT_EQ(r.lost(), 0U);
}

TEST(FlowReceiver, ASenderThatStartsAnewIsFollowed) {
  FlowReceiver r;
  EXPECT_EQ(r.on_sequence(1000), Arrival::kNext);
  EXPECT_EQ(r.on_sequence(0), Arrival::kDuplicate);
  EXPECT_EQ(r.on_sequence(1), Arrival::kDuplicate);
  EXPECT_EQ(r.on_sequence(2), Arrival::kDuplicate);
  EXPECT_EQ(r.on_sequence(3), Arrival::kRestart);
  EXPECT_EQ(r.on_sequence(4), Arrival::kNext);
}

TEST(FlowReceiver, OneStragglerStartsNothingAnew) {
  FlowReceiver r;
  (void)r.on_sequence(1000);
  for (std::uint32_t n = 0; n < 100; ++n) {
    EXPECT_EQ(r.on_sequence(10 + n * 2 % 60), Arrival::kDuplicate);
    EXPECT_EQ(r.on_sequence(1001 + n), Arrival::kNext);
  }
}

TEST(FlowReceiver, AGapWiderThanTheWindowIsLost) {
  FlowReceiver r;
  (void)r.on_sequence(0);
  EXPECT_EQ(r.on_sequence(1000), Arrival::kGap);
  EXPECT_EQ(r.lost(), 999U);
  EXPECT_EQ(r.on_sequence(999), Arrival::kLate);
  EXPECT_EQ(r.on_sequence(2), Arrival::kDuplicate) << "too old to tell";
}

TEST(FlowReceiver, AShuffledStreamAddsUp) {
  std::mt19937 random(7);
  FlowReceiver r;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::uint64_t repeated = 0;
  std::vector<std::uint32_t> block;
  (void)r.on_sequence(0xFFFFFF00);
  for (std::uint32_t sequence = 0xFFFFFF01; sequence != 0x2001; ++sequence) {
    block.push_back(sequence);
    if (block.size() == 16) {
      std::shuffle(block.begin(), block.end(), random);
      for (const auto s : block) {
        if (random() % 10 == 0) {
          ++dropped;
          continue;
        }
        ++sent;
        (void)r.on_sequence(s);
        if (random() % 10 == 0) {
          ++repeated;
          (void)r.on_sequence(s);
        }
      }
      block.clear();
    }
  }
  (void)r.on_sequence(0x2001);
  EXPECT_EQ(r.received(), sent + 2);
  EXPECT_EQ(r.lost(), dropped);
  EXPECT_EQ(r.duplicates(), repeated);
}

}  // namespace
}  // namespace hearthcast::tunnel
