#include "tunnelmgr/tunnel/path_size.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Sizes = std::vector<std::uint16_t>;

const Time kStart{1h};

Sizes probed(const PathActions& actions) {
  Sizes sizes;
  for (const auto& action : actions) {
    if (const auto* probe = std::get_if<SendProbe>(&action)) {
      sizes.push_back(probe->size);
    }
  }
  return sizes;
}

Sizes changed(const PathActions& actions) {
  Sizes sizes;
  for (const auto& action : actions) {
    if (const auto* change = std::get_if<PathSizeChanged>(&action)) {
      sizes.push_back(change->size);
    }
  }
  return sizes;
}

// Answers those probes of `actions` that fit, in order; what the machine does then.
PathActions answer(PathSize& machine, const PathActions& actions, std::uint16_t mtu, Time now) {
  PathActions all;
  for (const auto& action : actions) {
    if (const auto* probe = std::get_if<SendProbe>(&action); probe != nullptr && probe->size <= mtu) {
      for (const auto& next : machine.on_answer(probe->nonce, probe->size, now)) {
        all.push_back(next);
      }
    }
  }
  return all;
}

TEST(PathSize, KnowsNothingBeforeItStarts) {
  PathSize machine;
  EXPECT_EQ(machine.state(), PathState::kDisabled);
  EXPECT_EQ(machine.next_deadline(), kNever);
  EXPECT_THAT(machine.on_answer(1, 1500, kStart), IsEmpty());
  EXPECT_THAT(machine.on_too_big(1400, kStart), IsEmpty());
  EXPECT_THAT(machine.set_active(true, kStart), IsEmpty());
  EXPECT_EQ(machine.confirmed(), 0);
}

TEST(PathSize, TheBaseOfEachFamilyIsTriedWithTheUsualSizes) {
  for (const auto& [family, base] : {std::pair{Family::kIp4, 1200}, std::pair{Family::kIp6, 1280}}) {
    PathSize machine;
    const auto sizes = probed(machine.start(family, kStart));
    EXPECT_EQ(sizes.front(), base);
    EXPECT_EQ(sizes.back(), 1500);
    EXPECT_THAT(sizes, testing::Contains(1428));
    EXPECT_TRUE(std::ranges::is_sorted(sizes));
    EXPECT_EQ(machine.state(), PathState::kBase);
    EXPECT_EQ(machine.size(), base) << "what is used before anything is known";
    EXPECT_EQ(machine.confirmed(), 0);
  }
}

TEST(PathSize, AnEthernetPathIsKnownAfterOneRoundTrip) {
  PathSize machine;
  const auto probes = machine.start(Family::kIp4, kStart);
  const auto next = answer(machine, probes, 1500, kStart + 30ms);
  EXPECT_EQ(changed(next).back(), 1500);
  EXPECT_EQ(machine.state(), PathState::kComplete);
  EXPECT_EQ(machine.size(), 1500);
  EXPECT_THAT(probed(next), ElementsAre(1500)) << "tells the far end";
  EXPECT_EQ(machine.next_deadline(), kNever) << "nobody watches, and there is nothing larger";
}

// (event, state, what follows), step by step.
TEST(PathSize, ASizeThatDoesNotPassIsTriedThreeTimes) {
  PathSize machine;
  Time now = kStart;
  auto probes = machine.start(Family::kIp4, now);
  auto next = answer(machine, probes, 1428, now += 10ms);
  EXPECT_EQ(machine.size(), 1428) << "in use at once";
  EXPECT_EQ(machine.state(), PathState::kSearching);
  EXPECT_THAT(probed(next), IsEmpty()) << "the larger ones may still be on the way";
  for (int again = 0; again < 2; ++again) {
    ASSERT_NE(machine.next_deadline(), kNever);
    now = machine.next_deadline();
    EXPECT_THAT(probed(machine.on_deadline(now)), ElementsAre(1460, 1480, 1492, 1500));
  }
  now = machine.next_deadline();
  EXPECT_THAT(probed(machine.on_deadline(now)), ElementsAre(1436, 1444, 1452)) << "between the two";
  EXPECT_EQ(now - kStart, 3s);
}

TEST(PathSize, TheSearchEndsWithinAStep) {
  for (std::uint16_t mtu = 1280; mtu <= 1500; ++mtu) {
    PathSize machine;
    Time now = kStart;
    auto actions = machine.start(Family::kIp6, now);
    while (machine.state() != PathState::kComplete) {
      actions = answer(machine, actions, mtu, now + 20ms);
      if (probed(actions).empty() && machine.state() != PathState::kComplete) {
        now = machine.next_deadline();
        actions = machine.on_deadline(now);
      }
      ASSERT_LT(now - kStart, 30s) << mtu;
    }
    EXPECT_LE(machine.size(), mtu);
    EXPECT_GT(machine.size() + PathSize::kStep, mtu);
    EXPECT_LE(machine.probes(), 60U);
  }
}

TEST(PathSize, WithoutAnyAnswerItIsAnErrorAndIsTriedAgain) {
  PathSize machine;
  Time now = kStart;
  (void)machine.start(Family::kIp4, now);
  for (int n = 0; n < 3; ++n) {
    now = machine.next_deadline();
    (void)machine.on_deadline(now);
  }
  EXPECT_EQ(machine.state(), PathState::kError);
  EXPECT_EQ(machine.confirmed(), 0);
  EXPECT_EQ(machine.size(), 1200);
  now = machine.next_deadline();
  EXPECT_EQ(now - kStart, 13s);
  const auto again = machine.on_deadline(now);
  EXPECT_EQ(probed(again).front(), 1200);
  (void)answer(machine, again, 1500, now + 50ms);
  EXPECT_EQ(machine.state(), PathState::kComplete);
  EXPECT_EQ(machine.size(), 1500);
}

TEST(PathSize, ALateAnswerRaisesWhatWasGivenUp) {
  PathSize machine;
  Time now = kStart;
  const auto first = machine.start(Family::kIp4, now);
  (void)answer(machine, first, 1428, now + 10ms);
  for (int n = 0; n < 3; ++n) {
    now = machine.next_deadline();
    (void)machine.on_deadline(now);
  }
  const auto& largest = std::get<SendProbe>(first.back());
  const auto next = machine.on_answer(largest.nonce, largest.size, now + 5ms);
  EXPECT_THAT(changed(next), ElementsAre(1500));
  EXPECT_EQ(machine.state(), PathState::kComplete);
}

TEST(PathSize, AnAnswerThatNobodyAskedForMeansNothing) {
  PathSize machine;
  const auto probes = machine.start(Family::kIp4, kStart);
  const auto& one = std::get<SendProbe>(probes.front());
  EXPECT_THAT(machine.on_answer(one.nonce + 1000, 1500, kStart), IsEmpty());
  EXPECT_THAT(machine.on_answer(one.nonce, 1500, kStart), IsEmpty())
      << "of another size than it was sent with";
  EXPECT_EQ(machine.confirmed(), 0);
}

TEST(PathSize, AnotherPathBeginsAtItsBase) {
  PathSize machine;
  (void)answer(machine, machine.start(Family::kIp4, kStart), 1500, kStart + 10ms);
  const auto moved = machine.start(Family::kIp6, kStart + 1s);
  EXPECT_THAT(changed(moved), ElementsAre(1280)) << "the new one may carry less";
  EXPECT_EQ(probed(moved).front(), 1280);
  const auto old_answer = machine.on_answer(1, 1200, kStart + 1s);
  EXPECT_THAT(old_answer, IsEmpty());
}

TEST(PathSize, WhatTheSystemRefusesIsNotTriedAgain) {
  PathSize machine;
  Time now = kStart;
  const auto probes = machine.start(Family::kIp4, now);
  EXPECT_THAT(machine.on_too_big(1492, now), IsEmpty());  // an interface of PPPoE's 1492 would refuse 1493
  const auto next = answer(machine, probes, 1480, now + 10ms);
  EXPECT_EQ(machine.size(), 1480);
  EXPECT_THAT(probed(next), ElementsAre(1483, 1486, 1489)) << "below the refused size only";
  EXPECT_THAT(machine.on_too_big(1500, now), IsEmpty()) << "known to be too large";
}

TEST(PathSize, ARefusalOfTheSizeInUseFallsToTheBaseAtOnce) {
  PathSize machine;
  Time now = kStart;
  (void)answer(machine, machine.start(Family::kIp4, now), 1500, now + 10ms);
  const auto fallen = machine.on_too_big(1453, now + 1s);
  EXPECT_THAT(changed(fallen), ElementsAre(1200));
  const auto sizes = probed(fallen);
  EXPECT_THAT(sizes, testing::Contains(1428));
  EXPECT_LT(sizes.back(), 1453);
  EXPECT_THAT(changed(answer(machine, fallen, 1428, now + 2s)).back(), 1428);
}

TEST(PathSize, ARefusalOfEverythingEndsInTheErrorState) {
  PathSize machine;
  (void)machine.start(Family::kIp6, kStart);
  (void)machine.on_too_big(1000, kStart + 1ms);
  Time now = kStart;
  for (int n = 0; n < 3; ++n) {
    now = machine.next_deadline();
    (void)machine.on_deadline(now);
  }
  EXPECT_EQ(machine.state(), PathState::kError);
  EXPECT_EQ(machine.confirmed(), 0);
}

// A machine and a far end joined by a path whose size, delay and loss may change at any time. No ICMP.
class Path {
 public:
  explicit Path(unsigned seed) : generator_(seed) {}

  std::uint16_t mtu = 1500;
  Duration delay = 25ms;
  double loss = 0;  // each way
  bool up = true;
  Time now = kStart;
  PathSize machine;
  Time last_change = kStart;
  std::uint64_t octets = 0;  // of probes sent

  void perform(const PathActions& actions) {
    for (const auto& action : actions) {
      if (const auto* probe = std::get_if<SendProbe>(&action)) {
        octets += probe->size;
        if (up && probe->size <= mtu && passes() && passes()) {
          answers_.emplace(now + delay * 2, *probe);
        }
      } else {
        last_change = now;
      }
    }
  }
  void run_until(Time end) {
    for (;;) {
      const Time answer = answers_.empty() ? kNever : answers_.begin()->first;
      const Time next = std::min(answer, machine.next_deadline());
      if (next > end) {
        now = end;
        return;
      }
      now = std::max(now, next);
      if (answer <= next) {
        const SendProbe probe = answers_.begin()->second;
        answers_.erase(answers_.begin());
        perform(machine.on_answer(probe.nonce, probe.size, now));
      } else {
        perform(machine.on_deadline(now));
      }
    }
  }
  void run_for(Duration time) { run_until(now + time); }
  // Until the size in use passes; how long that took.
  Duration time_until_it_fits(Duration limit) {
    const Time begin = now;
    while (machine.size() > mtu && now - begin < limit) {
      run_for(10ms);
    }
    return now - begin;
  }
  std::size_t below(std::size_t limit) { return generator_() % limit; }

 private:
  bool passes() { return std::uniform_real_distribution<double>(0, 1)(generator_) >= loss; }
  std::mt19937 generator_;
  std::multimap<Time, SendProbe> answers_;
};

TEST(PathSizeOnAPath, Row41_AShrunkenPathIsNoticedWithinThreeSecondsWithoutIcmp) {
  for (const std::uint16_t smaller : std::vector<std::uint16_t>{1492, 1454, 1428, 1400, 1280}) {
    Path path(smaller);
    path.perform(path.machine.start(Family::kIp4, path.now));
    path.perform(path.machine.set_active(true, path.now));
    path.run_for(20s);
    ASSERT_EQ(path.machine.size(), 1500);
    path.mtu = smaller;
    EXPECT_LE(path.time_until_it_fits(20s), 3s) << smaller;
    EXPECT_EQ(path.machine.black_holes(), 1U);
    path.run_for(15s);
    EXPECT_EQ(path.machine.state(), PathState::kComplete);
    EXPECT_GT(path.machine.size() + PathSize::kStep, smaller);
    EXPECT_LE(path.machine.size(), smaller);
  }
}

TEST(PathSizeOnAPath, APathThatGrowsIsUsedAfterTheRaiseTimer) {
  Path path(1);
  path.mtu = 1400;
  path.perform(path.machine.start(Family::kIp6, path.now));
  path.perform(path.machine.set_active(true, path.now));
  path.run_for(60s);
  EXPECT_EQ(path.machine.size(), 1400);
  path.mtu = 1500;
  path.run_for(500s);
  EXPECT_LE(path.machine.size(), 1403);
  path.run_for(120s);
  EXPECT_EQ(path.machine.size(), 1500);
}

TEST(PathSizeOnAPath, AnOutageIsNoBlackHole) {
  Path path(2);
  path.perform(path.machine.start(Family::kIp4, path.now));
  path.perform(path.machine.set_active(true, path.now));
  path.run_for(10s);
  for (const auto outage : {500ms, 2000ms, 10'000ms}) {
    path.up = false;
    path.run_for(outage);
    path.up = true;
    path.run_for(10s);
    EXPECT_EQ(path.machine.size(), 1500);
  }
  EXPECT_EQ(path.machine.black_holes(), 0U);
}

TEST(PathSizeOnAPath, NothingIsSentWhileNobodyWatches) {
  Path path(3);
  path.mtu = 1452;
  path.perform(path.machine.start(Family::kIp4, path.now));
  path.run_for(60s);
  EXPECT_EQ(path.machine.state(), PathState::kComplete);
  const auto before = path.machine.probes();
  path.run_for(24h * 60);
  EXPECT_EQ(path.machine.probes(), before);
  path.mtu = 1300;
  path.perform(path.machine.set_active(true, path.now));
  EXPECT_LE(path.time_until_it_fits(20s), 2s) << "who begins to watch has the size confirmed at once";
}

TEST(PathSizeOnAPath, WatchingCostsOneProbeASecond) {
  Path path(4);
  path.perform(path.machine.start(Family::kIp4, path.now));
  path.perform(path.machine.set_active(true, path.now));
  path.run_for(10s);
  const auto before = path.octets;
  path.run_for(1000s);
  EXPECT_LE(path.octets - before, 1001U * 1500);
}

TEST(PathSizeOnAPath, LossBothWaysDoesNotMislead) {
  Path path(5);
  path.loss = 0.05;
  path.perform(path.machine.start(Family::kIp4, path.now));
  path.perform(path.machine.set_active(true, path.now));
  path.run_for(10s);
  Duration small{};
  for (int n = 0; n < 3600; ++n) {
    path.run_for(1s);
    small += path.machine.size() < 1472 ? Duration(1s) : Duration{};
  }
  EXPECT_LE(small, 10s) << "in an hour";
}

TEST(PathSizeOnAPath, ASlowPathIsNotTakenForABlackHole) {
  Path path(6);
  path.delay = 400ms;
  path.perform(path.machine.start(Family::kIp6, path.now));
  path.perform(path.machine.set_active(true, path.now));
  path.run_for(10min);
  EXPECT_EQ(path.machine.size(), 1500);
  EXPECT_EQ(path.machine.black_holes(), 0U);
}

// Three months in which everything changes: whenever somebody watches, a size that does not pass is left
// soon.
TEST(PathSizeOnAPath, ThreeMonthsOfChanges) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Path path(seed);
    constexpr std::array<std::uint16_t, 7> kMtus{1500, 1492, 1480, 1454, 1428, 1400, 1280};
    path.perform(path.machine.start(Family::kIp4, path.now));
    bool active = false;
    const Time end = kStart + 24h * 90;
    while (path.now < end) {
      switch (path.below(5)) {
        case 0:
          active = !active;
          path.perform(path.machine.set_active(active, path.now));
          break;
        case 1:
          path.mtu = kMtus[path.below(kMtus.size())];
          break;
        case 2:
          path.loss = static_cast<double>(path.below(6)) / 100;
          break;
        case 3:
          path.delay = std::chrono::milliseconds(5 + path.below(150));
          break;
        case 4:
          path.perform(path.machine.start(path.below(2) == 0 ? Family::kIp4 : Family::kIp6, path.now));
          break;
      }
      if (active) {
        ASSERT_LE(path.time_until_it_fits(60s), 8s) << "seed " << seed << ", path " << path.mtu;
      }
      path.run_for(std::chrono::seconds(1 + path.below(active ? 100 : 40'000)));
    }
    EXPECT_GT(path.machine.black_holes(), 5U);
    EXPECT_LT(path.octets, static_cast<std::uint64_t>(90 * 86'400) * 15) << "next to nothing";
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
