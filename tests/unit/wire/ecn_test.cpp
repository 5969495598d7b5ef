#include "tunnelmgr/wire/ecn.hpp"

#include <gtest/gtest.h>

namespace hearthcast::wire {
namespace {

// RFC 6040 section 4.2, figure 4: rows are the inner field, columns the outer one.
TEST(Ecn, TheTableOfTheRfc) {
  constexpr int kDrop = -1;
  constexpr int kNot = 0;
  constexpr int k1 = 1;
  constexpr int k0 = 2;
  constexpr int kCe = 3;
  struct Row {
    int inner;
    int outer_not, outer_0, outer_1, outer_ce;
  };
  for (const Row& row : {Row{kNot, kNot, kNot, kNot, kDrop}, Row{k0, k0, k0, k1, kCe},
                         Row{k1, k1, k1, k1, kCe}, Row{kCe, kCe, kCe, kCe, kCe}}) {
    for (const auto& [outer, expected] :
         {std::pair{kNot, row.outer_not}, {k0, row.outer_0}, {k1, row.outer_1}, {kCe, row.outer_ce}}) {
      for (const int dscp : {0, 34, 63}) {  // the inner DSCP stays, the outer one is not copied inward
        const auto got = egress_traffic_class(static_cast<std::uint8_t>(dscp << 2 | row.inner),
                                              static_cast<std::uint8_t>(46 << 2 | outer));
        if (expected == kDrop) {
          EXPECT_FALSE(got);
        } else {
          ASSERT_TRUE(got);
          EXPECT_EQ(*got, dscp << 2 | expected) << row.inner << " " << outer;
        }
      }
    }
  }
}

TEST(Ecn, IsTheLowTwoBits) {
  EXPECT_EQ(ecn_of(0x88), Ecn::kNotEct);
  EXPECT_EQ(ecn_of(0x89), Ecn::kEct1);
  EXPECT_EQ(ecn_of(0x8A), Ecn::kEct0);
  EXPECT_EQ(ecn_of(0xFF), Ecn::kCe);
}

}  // namespace
}  // namespace hearthcast::wire
