// The monitor can fail: each thing that must never happen is made to happen in a run that is sound otherwise,
// and is seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/seeds/life.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const Endpoint kVictim = *Endpoint::parse("192.0.2.66:53");

// Two networks that need no relay, clean wires, and nothing that happens.
Scenario quiet() {
  Scenario scenario;
  scenario.seed = 5;
  scenario.home = access_named("full-cone");
  scenario.networks = {access_named("full-cone"), access_named("public")};
  scenario.length = 10s;
  return scenario;
}

struct MonitorTest : testing::Test {
  Verdict play(Scenario scenario, Life::Meddler meddle = {}) {
    return Life(std::move(scenario), keys, std::move(meddle)).play();
  }
  Keys keys;
};

TEST_F(MonitorTest, HasNothingToSayAboutAQuietRun) {
  const Verdict verdict = play(quiet());
  EXPECT_THAT(verdict.violations, IsEmpty());
  EXPECT_TRUE(verdict.expected);
  EXPECT_GT(verdict.packets, 1000U);
}

TEST_F(MonitorTest, SeesAStreamToAnUnprovenAddress) {
  const auto verdict = play(quiet(), [](Life& life) {
    life.world().send(life.home().box(), kVictim, Buffer(200, 23));  // a record, as from a broken data thread
  });
  EXPECT_THAT(verdict.violations, Contains(HasSubstr("the box sends a record to 192.0.2.66:53")));
}

TEST_F(MonitorTest, SeesAStreamThatGoesOnToWhereTheLaptopWas) {
  // The data thread is not told that the path moved: it streams to the old address until its proof ends, and
  // on.
  Scenario scenario = quiet();
  scenario.events = {{.at = 5s, .kind = EventKind::kAwayMoves, .lasts = 100ms, .which = 0}};
  const auto verdict = play(scenario, [](Life& life) {
    if (life.elapsed() > 5s) {
      life.world().send(life.home().box(), *Endpoint::parse("203.0.113.1:40000"), Buffer(200, 23));
    }
  });
  EXPECT_THAT(verdict.violations, Contains(HasSubstr("a record to 203.0.113.1:40000, which is not proven")));
}

TEST_F(MonitorTest, SeesMoreThanThreeTimesWhatCame) {
  // A box that answers a stranger's check four times over.
  const auto verdict = play(quiet(), [](Life& life) {
    const Buffer check{0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    if (life.elapsed() == 5s) {
      life.world().inject(kVictim, *Endpoint::parse("198.51.100.1:4755"), check);
    } else if (life.elapsed() > 6s && life.elapsed() <= 6200ms) {
      life.world().send(life.home().box(), kVictim, check);
    }
  });
  EXPECT_THAT(verdict.violations, Contains(HasSubstr("octets to 192.0.2.66:53, which is not proven")));
}

TEST_F(MonitorTest, SeesTwoPathsThatCarryTogether) {
  // After a move every packet goes both ways.
  const auto verdict = play(quiet(), [](Life& life) {
    if (life.elapsed() > 3s) {
      life.monitor().on_media(*Endpoint::parse("198.51.100.1:4755"));
      life.monitor().on_media(*Endpoint::parse("192.0.2.10:50000"));
    }
  });
  EXPECT_THAT(verdict.violations, Contains(HasSubstr("two paths have carried together")));
}

TEST_F(MonitorTest, SeesAPictureThatDoesNotComeBack) {
  const auto verdict = play(quiet(), [](Life& life) {
    if (life.elapsed() == 3s) {
      life.internet().set_home_down(life.home().box(), true);  // and the run does not know
    }
  });
  EXPECT_THAT(verdict.violations, Contains(HasSubstr("no picture")));
}

TEST_F(MonitorTest, SeesAStormOfPackets) {
  const auto verdict = play(quiet(), [](Life& life) {
    for (int i = 0; i < 20; ++i) {
      life.world().send(life.laptop(), *Endpoint::parse("192.0.2.9:3478"), as_bytes("is anybody there?"));
    }
  });
  EXPECT_THAT(verdict.violations, Contains(HasSubstr("the laptop sends more than")));
}

TEST_F(MonitorTest, ARunRepeatsExactly) {
  for (const std::uint64_t seed : {3U, 8U, 21U}) {
    const Verdict once = play(draw_scenario(seed)), again = play(draw_scenario(seed));
    EXPECT_EQ(once.trace, again.trace) << seed;
    EXPECT_EQ(once.packets, again.packets) << seed;
  }
  EXPECT_NE(play(draw_scenario(3)).trace, play(draw_scenario(8)).trace);
}

}  // namespace
}  // namespace hearthcast::sim
