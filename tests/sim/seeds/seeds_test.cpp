// Lives of one household from their seeds: what must never happen does not, and the picture is always back.
//
// HEARTHCAST_SEEDS says how many (default: kEveryDay, or kAll of `./hearth test --all`), HEARTHCAST_SEED
// plays one alone and tells what happened in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "tests/sim/seeds/summary.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kEveryDay = 100;
constexpr std::uint64_t kAll = 5000;

std::uint64_t number(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Span {
  std::uint64_t first = 1;
  std::uint64_t count = 0;
};

// The one place that reads the environment.
Span wanted() {
  if (const auto one = number("HEARTHCAST_SEED", 0); one != 0) {
    return {one, 1};
  }
  return {1, number("HEARTHCAST_SEEDS", std::getenv("HEARTHCAST_ALL") != nullptr ? kAll : kEveryDay)};
}

TEST(Seeds, NothingHappensThatMustNot) {
  const Keys keys;
  const Span span = wanted();
  Summary summary;
  for (std::uint64_t seed = span.first; seed < span.first + span.count; ++seed) {
    const Scenario scenario = draw_scenario(seed);
    const Verdict verdict = Life(scenario, keys).play();
    summary.add(scenario, verdict);
    for (const std::string& violation : verdict.violations) {
      ADD_FAILURE() << "HEARTHCAST_SEED=" << seed
                    << " build/dev/tests/seeds_sim_test --gtest_filter='Seeds.*' # " << violation << "\n"
                    << scenario.to_string();
    }
    if (span.count == 1) {
      std::cout << scenario.to_string() << '\n';
    }
  }
  std::cout << summary.to_string();
  EXPECT_LE(summary.most().most_waiting, 3000U);
  EXPECT_LE(summary.most().most_sessions, 2U);
}

}  // namespace
}  // namespace hearthcast::sim
