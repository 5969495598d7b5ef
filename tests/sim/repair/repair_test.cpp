// What a picture away is like on bad paths: the figures that the product promises, each with several seeds.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "tests/sim/repair/channel.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

void show(const char* name, const Channel& channel) {
  const auto f = channel.figures();
  const auto ms = [](Duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  std::cout << name << ": sent " << f.sent << ", played " << f.played << ", continuity errors "
            << f.continuity_errors << ", lost " << channel.receiver().counters().lost << ", repaired "
            << channel.receiver().counters().repaired << ", refused " << channel.box().refused
            << ", overhead " << f.overhead * 100 << " %, added delay " << ms(f.usual_added) << " ms (median) "
            << ms(f.most_added) << " ms (most), buffer " << ms(channel.receiver().delay()) << " ms\n";
}

Way lossy(double loss) {
  Way way;
  way.loss = loss;
  return way;
}

TEST(Repair, ACleanPathCostsNothing) {
  Channel channel({}, {}, 1);
  channel.run(30s);
  const auto f = channel.figures();
  EXPECT_EQ(f.continuity_errors, 0U);
  EXPECT_EQ(f.overhead, 0);
  EXPECT_EQ(f.most_added, 0ms) << "nothing is held back while nothing is missing";
  EXPECT_LE(channel.receiver().delay(), 155ms) << "the least that is waited behind a gap, or nearly";
}

// Five percent each way at 50 ms round trip and 8 Mbit/s for ten minutes.
TEST(Repair, FivePercentEachWayLeavesAFaultlessPicture) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Channel channel(lossy(0.05), lossy(0.05), seed);
    channel.run(seed == 1 ? Duration{10min}
                          : Duration{1min});  // one run of the whole time is enough for each day
    show("5 % each way", channel);
    const auto f = channel.figures();
    EXPECT_EQ(f.continuity_errors, 0U);
    EXPECT_EQ(channel.receiver().counters().lost, 0U);
    EXPECT_LE(f.overhead, 0.08);
    EXPECT_LE(f.most_added, 400ms);
    EXPECT_GE(f.played + 1000, f.sent);
  }
}

// A busy machine measures its path badly: now the truth, now far more.
TEST(Repair, AWrongMeasurementOfThePathDoesNotCostAPacket) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Channel channel(lossy(0.05), lossy(0.05), seed);
    int second = 0;
    channel.set_round_trip([&second] { return Duration{++second % 3 == 0 ? 50ms : 160ms}; });
    channel.run(1min);
    show("5 % each way, measured badly", channel);
    EXPECT_EQ(channel.figures().continuity_errors, 0U);
    EXPECT_LE(channel.figures().overhead, 0.08);
  }
}

// A busy machine at either end: for a quarter of a second, again and again, it does nothing else than wait.
struct PausedRepair : testing::TestWithParam<std::pair<bool, bool>> {};

TEST_P(PausedRepair, CostsNoPacket) {
  const Pauses pauses{1700ms, 250ms};
  const auto [box, viewer] = GetParam();
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Channel channel(lossy(0.05), lossy(0.05), seed);
    channel.set_pauses(box ? pauses : Pauses{}, viewer ? pauses : Pauses{});
    channel.run(30s);
    show("5 % each way, paused", channel);
    lost += channel.receiver().counters().lost;
    EXPECT_EQ(channel.figures().disorder, 0U);
    EXPECT_LE(channel.figures().overhead, 0.08);
    EXPECT_LE(channel.figures().most_added, 550ms)
        << "the buffer and the pause, which is no measurement of the path";
  }
  EXPECT_EQ(lost, 0U);
}
INSTANTIATE_TEST_SUITE_P(OneEndOrBoth, PausedRepair,
                         testing::Values(std::pair{true, false}, std::pair{false, true},
                                         std::pair{true, true}));

TEST(Repair, TheSameSeedIsTheSameRun) {
  Channel one(lossy(0.05), lossy(0.05), 9);
  Channel two(lossy(0.05), lossy(0.05), 9);
  one.run(20s);
  two.run(20s);
  EXPECT_EQ(one.receiver().counters().asked, two.receiver().counters().asked);
  EXPECT_EQ(one.figures().most_added, two.figures().most_added);
  Channel three(lossy(0.05), lossy(0.05), 10);
  three.run(20s);
  EXPECT_NE(one.receiver().counters().asked, three.receiver().counters().asked);
}

// Ten seconds in which a fifth is lost in bursts, after and before good times.
TEST(Repair, ABurstyTimeIsRepairedAndPasses) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Way down;
    down.bursts = Bursts::of(0.2, 8);
    const Time start = Time{1h} + 20s;
    Channel good({}, {}, seed);
    good.run(20s);
    EXPECT_EQ(good.figures().continuity_errors, 0U);

    std::mt19937_64 random(seed);
    bool bad = false;
    Way way;
    way.broken = [&](Time now) {
      const auto draw = std::uniform_real_distribution<double>(0, 1)(random);
      bad = bad ? draw >= down.bursts.end : draw < down.bursts.begin;
      return bad && now >= start && now < start + 8s;
    };
    Channel channel(way, {}, seed);
    channel.run(60s);
    show("20 % in bursts for 8 s", channel);
    for (const auto error : channel.figures().errors) {
      EXPECT_GE(error, start);
      EXPECT_LE(error, start + 8s + tunnel::kMostDelay) << "it recovers by itself";
    }
    EXPECT_LE(channel.receiver().counters().lost, 100U);
    EXPECT_GT(channel.receiver().counters().repaired, 800U);
  }
}

TEST(Repair, AnOutageShorterThanTheBufferIsRepaired) {
  Way way;
  const Time start = Time{1h} + 10s;
  way.broken = [start](Time now) { return now >= start && now < start + 600ms; };
  Channel channel(way, way, 1);
  channel.run(30s);
  show("0.6 s outage", channel);
  EXPECT_EQ(channel.figures().continuity_errors, 0U);
  EXPECT_EQ(channel.receiver().counters().lost, 0U);
  EXPECT_LE(channel.receiver().delay(), 200ms) << "and forgotten";
}

TEST(Repair, AnOutageOfTwoSecondsCostsOnlyWhatExceedsTheBuffer) {
  Way way;
  const Time start = Time{1h} + 10s;
  way.broken = [start](Time now) { return now >= start && now < start + 2s; };
  Channel channel(way, way, 1);
  channel.run(30s);
  show("2 s outage", channel);
  const auto f = channel.figures();
  ASSERT_FALSE(f.errors.empty());
  for (const auto error : f.errors) {
    EXPECT_GE(error, start + 2s);
    EXPECT_LE(error, start + 2s + tunnel::kMostDelay + 100ms);
  }
  EXPECT_LT(channel.receiver().counters().lost, 1520U - 500U) << "the last part of it is repaired";
  EXPECT_EQ(channel.receiver().held(), 0U);
}

TEST(Repair, ReorderingIsAbsorbedWithoutAskingForMuch) {
  for (const std::uint64_t seed : {1U, 2U}) {
    Way way;
    way.late = 0.05;
    way.late_by = 20ms;
    way.jitter = 2ms;
    Channel channel(way, way, seed);
    channel.run(20s);
    show("5 % reordered by up to 20 ms", channel);
    const auto f = channel.figures();
    EXPECT_EQ(f.continuity_errors, 0U);
    EXPECT_EQ(f.replayed, 0U);
    EXPECT_LE(f.overhead, 0.02);
    EXPECT_LE(f.most_added, 400ms);
  }
}

// Beyond the replay window of the tunnel's records reordering is loss, and repaired as such.
TEST(Repair, ReorderingBeyondTheReplayWindowIsRepaired) {
  Way way;
  way.late = 0.05;
  way.late_by = 150ms;
  Channel channel(way, {}, 1);
  channel.run(30s);
  show("5 % reordered by up to 150 ms", channel);
  EXPECT_EQ(channel.figures().continuity_errors, 0U);
  EXPECT_GT(channel.figures().replayed, 100U);
}

TEST(Repair, DuplicatesAreNotPlayed) {
  Way way;
  way.twice = 0.05;
  way.loss = 0.01;
  Channel channel(way, {}, 1);
  channel.run(30s);
  EXPECT_EQ(channel.figures().continuity_errors, 0U);
  EXPECT_EQ(channel.figures().disorder, 0U);
  EXPECT_LE(channel.figures().played, channel.figures().sent);
}

// Far away, with jitter: still whole.
TEST(Repair, ALongWayWithJitterAndTwoPercent) {
  Way way;
  way.delay = 90ms;
  way.jitter = 30ms;
  way.loss = 0.02;
  Channel channel(way, way, 4);
  channel.run(1min);
  show("2 %, 180 ms, jitter 30 ms", channel);
  EXPECT_EQ(channel.figures().continuity_errors, 0U);
  EXPECT_LE(channel.figures().overhead, 0.08);
}

// Whatever is lost, the box sends again less than a fifth.
TEST(Repair, AHopelessPathIsNotFloodedOnTop) {
  Channel channel(lossy(0.5), lossy(0.1), 1);
  channel.run(20s);
  show("half lost", channel);
  EXPECT_LT(channel.box().octets * 5, channel.figures().sent * 1376);
  EXPECT_GT(channel.receiver().counters().lost, 1000U);
  EXPECT_LE(channel.figures().most_added, tunnel::kMostDelay + 50ms);
  EXPECT_EQ(channel.figures().disorder, 0U);
}

TEST(Repair, ALateJoinerGetsThePreludeAndLosesNothing) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    Channel channel(lossy(0.05), lossy(0.05), seed);
    channel.run(5s + seed * 77ms);
    const auto sent = channel.figures().sent;
    channel.join(true);
    const Time joined = channel.now();
    channel.run(5s);
    EXPECT_LE(channel.first_played() - joined, 200ms);
    EXPECT_EQ(channel.figures().continuity_errors, 0U) << seed;
    EXPECT_GT(channel.box().prelude, 300U);
    EXPECT_GT(sent, 0U);
  }
}

}  // namespace
}  // namespace hearthcast::sim
