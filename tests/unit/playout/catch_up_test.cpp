#include "tunnelmgr/playout/catch_up.hpp"

#include <gtest/gtest.h>

namespace hearthcast::playout {
namespace {

TEST(CatchUp, AFirstPieceGoesAtOnce) {
  constexpr std::uint64_t start = 5'000'000;
  EXPECT_EQ(catch_up_limit(start, start + 2'000'000, start + 2'000'000), start + kFirstPiece);
}

TEST(CatchUp, AShortPastGoesAtOnceAsAWhole) {
  EXPECT_EQ(catch_up_limit(1000, 2000, 2000), 2000U);
  EXPECT_EQ(catch_up_limit(0, 0, 0), 0U) << "the first player of all";
  EXPECT_EQ(catch_up_limit(0, kFirstPiece, kFirstPiece), kFirstPiece);
}

// Live traffic brings `step` octets at a time; the player may be sent no more than twice as much for each.
TEST(CatchUp, ThePastFollowsAtTwiceTheRateUntilItIsCaughtUp) {
  constexpr std::uint64_t live = 4'000'000;
  constexpr std::uint64_t step = 40'000;
  std::uint64_t sent = catch_up_limit(0, live, live);
  std::uint64_t end = live;
  int steps = 0;
  while (sent < end) {
    end += step;
    const std::uint64_t limit = catch_up_limit(0, live, end);
    EXPECT_LE(limit - sent, 2 * step);
    EXPECT_GT(limit, sent);
    sent = limit;
    ++steps;
  }
  EXPECT_EQ(sent, end);
  // Each step wins one step of the way.
  EXPECT_EQ(static_cast<std::uint64_t>(steps), (live - kFirstPiece + step - 1) / step);
}

TEST(CatchUp, OnceCaughtUpItStaysSo) {
  for (std::uint64_t end = 1'000'000; end < 3'000'000; end += 77'777) {
    if (catch_up_limit(0, 1'000'000, end) == end) {
      EXPECT_EQ(catch_up_limit(0, 1'000'000, end + 1'000'000), end + 1'000'000);
    }
  }
}

}  // namespace
}  // namespace hearthcast::playout
