// Scenarios: the same from the same seed, and all that may happen does.
#include "tests/sim/seeds/scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/sim/seeds/watchdog.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

TEST(Scenario, IsTheSameFromTheSameSeed) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    EXPECT_EQ(draw_scenario(seed).to_string(), draw_scenario(seed).to_string());
    EXPECT_NE(draw_scenario(seed).to_string().substr(7), draw_scenario(seed + 1).to_string().substr(7));
  }
}

TEST(Scenario, EveryAccessAndEveryEventTurnsUp) {
  std::set<std::string_view> homes, networks;
  std::map<EventKind, int> events;
  int lossy = 0, overlapping = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const Scenario scenario = draw_scenario(seed);
    homes.insert(scenario.home.name);
    for (const Access& network : scenario.networks) {
      networks.insert(network.name);
    }
    for (std::size_t i = 0; i < scenario.events.size(); ++i) {
      ++events[scenario.events[i].kind];
      overlapping +=
          i > 0 && scenario.events[i - 1].at + scenario.events[i - 1].lasts > scenario.events[i].at;
    }
    lossy += scenario.loses();
  }
  EXPECT_EQ(homes.size(), accesses().size());
  EXPECT_EQ(networks.size(), accesses().size());
  EXPECT_EQ(events.size(), kEventKinds);
  for (const auto& [kind, count] : events) {
    EXPECT_GE(count, 30) << to_string(kind);
  }
  EXPECT_GE(lossy, 100);
  EXPECT_GE(overlapping, 100) << "some events hit one that still lasts";
}

TEST(Scenario, EventsAreInOrderAndWithinItsLength) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Scenario scenario = draw_scenario(seed);
    ASSERT_GE(scenario.events.size(), 3U);
    Duration last{};
    for (const Event& event : scenario.events) {
      EXPECT_GE(event.at, last);
      last = event.at;
      EXPECT_LE(event.at + event.lasts, scenario.length);
    }
  }
}

TEST(Scenario, IsPrintedInOneLineThatNamesItsSeed) {
  const std::string text = draw_scenario(77).to_string();
  EXPECT_THAT(text, testing::StartsWith("seed 77: "));
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

struct WatchdogTest : testing::Test {
  WatchdogTest() { dog.set_possible(true, now); }
  void media_for(Duration time) {
    for (const Time end = now + time; now < end; now += 50ms) {
      dog.on_media(now);
    }
  }
  Watchdog dog;
  Time now{1h};
};

TEST_F(WatchdogTest, APictureThatIsThereIsNeverAway) {
  media_for(5s);
  EXPECT_LE(dog.away(now), 50ms);
  EXPECT_TRUE(dog.recoveries().empty());
}

TEST_F(WatchdogTest, AGapIsTimedAndNamesItsCause) {
  media_for(5s);
  dog.on_event(EventKind::kBoxRestarts, now);
  now += 3s;
  EXPECT_EQ(dog.away(now), 3s);
  dog.on_media(now);
  ASSERT_EQ(dog.recoveries().size(), 1U);
  EXPECT_EQ(dog.recoveries()[0].after, EventKind::kBoxRestarts);
  EXPECT_EQ(dog.recoveries()[0].gap, 3s);
}

TEST_F(WatchdogTest, OnlyTheTimeInWhichItCouldBeThereCounts) {
  media_for(5s);
  dog.on_event(EventKind::kAwayOutage, now);
  dog.set_possible(false, now);
  now += 20s;
  EXPECT_EQ(dog.away(now), 0s);
  dog.set_possible(true, now);
  now += 2s;
  EXPECT_EQ(dog.away(now), 2s);
  dog.on_media(now);
  EXPECT_EQ(dog.recoveries().at(0).gap, 2s);
}

TEST_F(WatchdogTest, NothingCountsWhileNobodyWatches) {
  media_for(1s);
  dog.set_possible(false, now);
  now += 1h;
  dog.on_media(now);  // late
  EXPECT_TRUE(dog.recoveries().empty());
}

}  // namespace
}  // namespace hearthcast::sim
