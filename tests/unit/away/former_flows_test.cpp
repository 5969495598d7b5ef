#include "tunnelmgr/away/former_flows.hpp"

#include <gtest/gtest.h>

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1h};

TEST(FormerFlows, StragglersComeForTwoRoundTripsAndALittle) {
  FormerFlows former;
  EXPECT_FALSE(former.is_straggler(9, kStart));
  former.leave(9, 50ms, kStart);
  EXPECT_TRUE(former.is_straggler(9, kStart));
  EXPECT_FALSE(former.is_straggler(8, kStart));
  EXPECT_TRUE(former.is_straggler(9, kStart + 199ms));
  EXPECT_FALSE(former.is_straggler(9, kStart + 200ms));
  former.leave(9, std::nullopt, kStart + 1s);
  EXPECT_TRUE(former.is_straggler(9, kStart + 1099ms));
  EXPECT_FALSE(former.is_straggler(9, kStart + 1100ms));
}

TEST(FormerFlows, AFlowThatGoesOnHasNone) {
  FormerFlows former;
  former.leave(8, 50ms, kStart);
  former.leave(9, 50ms, kStart);
  former.resume(9);
  EXPECT_FALSE(former.is_straggler(9, kStart));
  EXPECT_TRUE(former.is_straggler(8, kStart));
  former.clear();
  EXPECT_FALSE(former.is_straggler(8, kStart));
}

TEST(FormerFlows, RemembersNoMoreThanItMay) {
  FormerFlows former;
  for (std::uint32_t flow = 0; flow <= FormerFlows::kMost; ++flow) {
    former.leave(flow, std::nullopt, kStart);
  }
  EXPECT_TRUE(former.is_straggler(0, kStart));
  EXPECT_FALSE(former.is_straggler(FormerFlows::kMost, kStart));
  former.leave(FormerFlows::kMost, std::nullopt, kStart + 1s);  // the others are past
  EXPECT_TRUE(former.is_straggler(FormerFlows::kMost, kStart + 1s));
}

}  // namespace
}  // namespace hearthcast::away
