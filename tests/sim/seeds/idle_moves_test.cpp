// Routers that forget while a device is connected and watches nothing: what is asked for then comes in the
// time that a move in mid-stream takes, and at once where it was noticed before.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/seeds/life.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMoves = 8;
constexpr Duration kRest = 60s;  // before the router forgets
constexpr Duration kGoal = 2s;   // as in mid-stream

// The longest gap after wishes that come `later` than the move.
Duration longest_of(EventKind kind, const char* home, const char* away, Duration later) {
  Scenario scenario;
  scenario.seed = 6;
  scenario.home = access_named(home);
  scenario.networks = {3, access_named(away)};
  scenario.wires = {{.delay = 2ms}, {.delay = 20ms}};
  const Duration round = kRest + later + 11s;
  for (std::size_t n = 0; n < kMoves; ++n) {
    const Duration at = 10s + n * (round + 770ms);  // not in step with what is done every so often
    scenario.events.push_back({.at = at, .kind = EventKind::kViewerLeaves, .lasts = kRest + later});
    scenario.events.push_back({.at = at + kRest, .kind = kind});
    scenario.length = at + round;
  }
  const Verdict verdict = Life(scenario, Keys()).play();
  EXPECT_TRUE(verdict.violations.empty()) << verdict.violations.front();
  Duration longest{};
  for (const Recovery& recovery : verdict.recoveries) {
    longest = std::max(longest, recovery.after == kind ? recovery.gap : Duration{});
  }
  return longest;
}

struct IdleMovesTest : testing::TestWithParam<std::tuple<EventKind, const char*, const char*>> {};

TEST_P(IdleMovesTest, AWishIsFulfilledSoon) {
  const auto [kind, home, away] = GetParam();
  EXPECT_LE(longest_of(kind, home, away, 100ms), kGoal) << "nobody has noticed yet";
  EXPECT_LE(longest_of(kind, home, away, 12s), kGoal) << "perhaps somebody has";
  EXPECT_EQ(longest_of(kind, home, away, 35s), Duration{}) << "it is mended";
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, IdleMovesTest,
    testing::Values(std::tuple(EventKind::kHomeRebound, "port-restricted", "full-cone"),
                    std::tuple(EventKind::kHomeRenumbered, "port-restricted", "port-restricted"),
                    std::tuple(EventKind::kAwayRebound, "port-restricted", "port-restricted")));

}  // namespace
}  // namespace hearthcast::sim
