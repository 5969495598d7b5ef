#include "tunnelmgr/tunnel/repair_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace hearthcast::tunnel {
namespace {

Buffer packet(std::uint32_t sequence, std::size_t size) {
  Buffer octets(size, static_cast<std::uint8_t>(sequence * 7));
  Buffer number;
  Writer(number).u32(sequence);
  std::copy_n(number.begin(), std::min(size, number.size()), octets.begin());
  return octets;
}

// As the framer does it: the packet is the end of its room.
void put(RepairRing& ring, std::uint32_t sequence, std::size_t size, std::size_t headroom = 0) {
  const auto room = ring.room(headroom + size);
  ASSERT_EQ(room.size(), headroom + size);
  const auto octets = packet(sequence, size);
  std::copy(octets.begin(), octets.end(), room.begin() + static_cast<std::ptrdiff_t>(headroom));
  ring.commit(sequence, Bytes(room).subspan(headroom));
}

TEST(RepairRing, FindsWhatItHoldsAndNothingElse) {
  RepairRing ring;
  EXPECT_TRUE(ring.find(0).empty());
  for (std::uint32_t n = 100; n < 110; ++n) {
    put(ring, n, 1376, 12);
  }
  EXPECT_EQ(ring.oldest(), 100U);
  EXPECT_EQ(ring.next(), 110U);
  EXPECT_EQ(ring.held(), 10U);
  for (std::uint32_t n = 100; n < 110; ++n) {
    EXPECT_TRUE(equal(ring.find(n), packet(n, 1376))) << n;
  }
  EXPECT_TRUE(ring.find(99).empty());
  EXPECT_TRUE(ring.find(110).empty());
  EXPECT_TRUE(ring.find(100 + 4096).empty());
}

TEST(RepairRing, TheOldestGoWhenPacketsAreMany) {
  RepairRing ring(1 << 20, 8);
  for (std::uint32_t n = 0; n < 20; ++n) {
    put(ring, n, 100);
  }
  EXPECT_EQ(ring.held(), 8U);
  EXPECT_EQ(ring.oldest(), 12U);
  EXPECT_TRUE(ring.find(11).empty());
  EXPECT_TRUE(equal(ring.find(12), packet(12, 100)));
}

TEST(RepairRing, TheOldestGoWhenOctetsAreMany) {
  RepairRing ring(10'000, 64);
  for (std::uint32_t n = 0; n < 50; ++n) {
    put(ring, n, 1000);
  }
  EXPECT_GE(ring.held(), 9U);
  EXPECT_LE(ring.held(), 10U);
  for (std::uint32_t n = ring.oldest(); n != ring.next(); ++n) {
    EXPECT_TRUE(equal(ring.find(n), packet(n, 1000))) << n;
  }
}

TEST(RepairRing, ARoomThatWasNotUsedCostsNothingButWhatItTouched) {
  RepairRing ring(10'000, 64);
  put(ring, 5, 2000);
  for (int n = 0; n < 100; ++n) {
    (void)ring.room(2000);  // datagrams that could not be framed
  }
  EXPECT_TRUE(equal(ring.find(5), packet(5, 2000)));
  put(ring, 6, 2000);
  EXPECT_TRUE(equal(ring.find(6), packet(6, 2000)));
}

TEST(RepairRing, NumbersWrap) {
  RepairRing ring(1 << 16, 16);
  for (std::uint32_t n = 0xFFFFFFF8; n != 8; ++n) {
    put(ring, n, 500);
  }
  EXPECT_EQ(ring.held(), 16U);
  EXPECT_EQ(ring.oldest(), 0xFFFFFFF8U);
  EXPECT_TRUE(equal(ring.find(0xFFFFFFFF), packet(0xFFFFFFFF, 500)));
  EXPECT_TRUE(equal(ring.find(0), packet(0, 500)));
}

TEST(RepairRing, AJumpBeginsAnew) {
  RepairRing ring;
  put(ring, 1, 100);
  put(ring, 2, 100);
  put(ring, 9, 100);
  EXPECT_EQ(ring.held(), 1U);
  EXPECT_TRUE(ring.find(2).empty());
  EXPECT_TRUE(equal(ring.find(9), packet(9, 100)));
  ring.clear();
  EXPECT_TRUE(ring.find(9).empty());
  EXPECT_EQ(ring.oldest(), ring.next());
}

TEST(RepairRing, AnySizesComeBackAsTheyWere) {
  std::mt19937 random(11);
  RepairRing ring(50'000, 128);
  std::vector<std::size_t> sizes;
  for (std::uint32_t n = 0; n < 5000; ++n) {
    sizes.push_back(4 + random() % 1500);
    if (random() % 10 == 0) {
      (void)ring.room(1552);
    }
    put(ring, n, sizes.back(), random() % 60);
    ASSERT_GE(ring.held(), std::min(n + 1, 20U));
    for (std::uint32_t back = ring.oldest(); back != ring.next(); ++back) {
      ASSERT_TRUE(equal(ring.find(back), packet(back, sizes[back]))) << back << " after " << n;
    }
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
