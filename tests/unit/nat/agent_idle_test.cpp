// What an agent does on a path that nothing travels by, and when something is to travel again.
#include "tests/unit/nat/agent_fixture.hpp"

namespace hearthcast::nat {
namespace {

const Endpoint kBetter = *Endpoint::parse("[2001:db8::1]:4755");

struct IdleTest : AgentTest {
  IdleTest() {
    auto out = device.on_candidates({{CandidateType::kServerReflexive, at}}, t0);
    out = device.on_stun(at, answer(out, pair.box), t0 + 20ms);
    (void)device.on_stun(at, answer(out, pair.box), t0 + 40ms);
    out = box.on_stun(at, check(Role::kControlling, true), t0);
    (void)box.on_stun(at, answer(out, pair.device), t0 + 40ms);
    now = t0 + 40ms;
  }
  // The path answers, others do not. The times of checks, by the path and by others.
  void play(Duration time) {
    for (const Time end = now + time; device.next_deadline() <= end;) {
      now = std::max(now, device.next_deadline());
      for (const auto& action : device.on_deadline(now)) {
        const auto* datagram = std::get_if<SendDatagram>(&action);
        if (datagram != nullptr && datagram->to == at) {
          checks.push_back(now);
          (void)device.on_stun(at, answer({action}, pair.box), now);
        } else if (datagram != nullptr) {
          others.push_back(now);
        }
      }
    }
  }

  Agent device = make(Role::kControlling);
  Agent box = make(Role::kControlled);
  Time now;
  std::vector<Time> checks, others;
};

TEST_F(IdleTest, ThePathIsCheckedEveryTwentyToTwentyFiveSeconds) {
  EXPECT_THAT(device.set_idle(true, now), IsEmpty());
  Time last = now;
  play(1h);
  EXPECT_GT(checks.size(), 140U);
  for (const Time at_check : checks) {
    EXPECT_GE(at_check - last, 20s);
    EXPECT_LE(at_check - last, 25s);
    last = at_check;
  }
}

TEST_F(IdleTest, AnotherPairIsTriedWhenItIsNamedAndThenRests) {
  (void)device.set_idle(true, now);
  (void)device.on_candidates({{CandidateType::kServerReflexive, kBetter}}, now);
  play(10s);
  EXPECT_GT(others.size(), 5U);
  others.clear();
  play(1h);
  EXPECT_LE(others.size(), 1U);
}

TEST_F(IdleTest, ThenAWishSendsACheckAtOnceAndLooksForBetterPathsAgain) {
  (void)device.set_idle(true, now);
  (void)device.on_candidates({{CandidateType::kServerReflexive, kBetter}}, now);
  play(1min);
  now = checks.back() + 10s;
  const auto out = device.set_idle(false, now);
  EXPECT_THAT(out, Contains(VariantWith<SendDatagram>(testing::Field(&SendDatagram::to, at))));
  EXPECT_THAT(out, Contains(VariantWith<SendDatagram>(testing::Field(&SendDatagram::to, kBetter))));
  EXPECT_THAT(device.on_stun(at, answer({out.at(0)}, pair.box), now + 20ms),
              Contains(VariantWith<PathConfirmed>(_)));
  checks.clear();
  play(1min);
  EXPECT_GE(checks.size(), 10U) << "the pace of a path in use";
}

TEST_F(IdleTest, WhatWasCheckedJustNowNeedsNoCheck) {
  (void)device.set_idle(true, now);
  EXPECT_THAT(device.set_idle(false, now + 4s), IsEmpty());
  EXPECT_LE(device.next_deadline(), now + 6s);
}

TEST_F(IdleTest, AWishOnADeadPathIsNoticedAsFastAsEver) {
  (void)device.set_idle(true, now);
  (void)device.set_idle(false, now + 15s);
  Time suspected{};
  while (device.next_deadline() <= now + 16s) {
    const Time then = device.next_deadline();
    for (const auto& action : device.on_deadline(then)) {
      suspected = std::holds_alternative<PathSuspected>(action) ? then : suspected;
    }
  }
  EXPECT_EQ(suspected, now + 15s + 200ms) << "three checks, 100 ms apart";
}

TEST_F(IdleTest, ADeadPathIsSuspectedTwoSecondsAfterTheCheckThatWasDue) {
  (void)device.set_idle(true, now);
  Time suspected{};
  while (suspected == Time{} && device.next_deadline() < now + 1min) {
    const Time then = device.next_deadline();
    for (const auto& action : device.on_deadline(then)) {
      suspected = std::holds_alternative<PathSuspected>(action) ? then : suspected;
    }
  }
  EXPECT_GE(suspected, now + 22s);
  EXPECT_LE(suspected, now + 27s);
}

TEST_F(IdleTest, TheControlledEndChecksWhenItIsCheckedAndOtherwiseLater) {
  (void)box.set_idle(true, now);
  EXPECT_EQ(box.next_deadline(), now + 26'500ms);
  const auto out = box.on_stun(at, check(Role::kControlling, true), now + 22s);
  EXPECT_EQ(sent(out).size(), 2U) << "an answer, and a check of its own";
  (void)box.on_stun(at, answer(out, pair.device), now + 22s);
  EXPECT_EQ(box.next_deadline(), now + 22s + 26'500ms);
}

TEST_F(IdleTest, TheControlledEndFollowsAPeerThatNeedsThePath) {
  (void)box.set_idle(true, now);
  (void)box.on_stun(at, check(Role::kControlling, true), now + 4s);
  EXPECT_GT(box.next_deadline(), now + 20s);
  (void)box.on_stun(at, check(Role::kControlling, true), now + 9s);
  EXPECT_LE(box.next_deadline(), now + 9s);
}

TEST_F(IdleTest, TheControllingEndDoesNotFollowInTurn) {
  (void)device.set_idle(true, now);
  const Time due = device.next_deadline();
  for (const auto after : {4s, 8s, 9s}) {
    EXPECT_EQ(sent(device.on_stun(at, check(Role::kControlled), now + after)).size(), 1U) << "an answer";
  }
  EXPECT_EQ(device.next_deadline(), due);
}

TEST_F(IdleTest, ACheckThatOvertookAnAnswerIsNoReasonForAnotherOne) {
  (void)box.set_idle(true, now);
  (void)box.on_stun(at, check(Role::kControlling, true), now + 22s);
  EXPECT_EQ(sent(box.on_stun(at, check(Role::kControlling, true), now + 22s + 60ms)).size(), 1U);
  EXPECT_EQ(sent(box.on_stun(at, check(Role::kControlling, true), now + 22s + 600ms)).size(), 2U) << "lost";
}

TEST_F(IdleTest, WhenSomethingIsToTravelTheControlledEndIsProvenAlready) {
  (void)box.set_idle(true, now);
  const auto out = box.on_stun(at, check(Role::kControlling, true), now + 22s);
  EXPECT_THAT(box.set_idle(false, now + 22s), IsEmpty()) << "its check is on its way";
  EXPECT_TRUE(box.is_proven(at, now + 22s));
  (void)box.on_stun(at, answer(out, pair.device), now + 22s);
  EXPECT_LE(box.next_deadline(), now + 28s);
}

TEST_F(IdleTest, APeerThatBeganAnewShowsByItsTieBreaker) {
  const auto asked = [&](std::uint64_t tie_breaker, const Endpoint& from) {
    return device.on_stun(from,
                          build_check({.id = {next_id++},
                                       .receiver = pair.device,
                                       .sender_ufrag = pair.box.ufrag,
                                       .tie_breaker = tie_breaker},
                                      crypto),
                          now);
  };
  EXPECT_THAT(asked(5, at), Not(Contains(VariantWith<PeerRestarted>(_)))) << "the first one";
  EXPECT_THAT(asked(5, at), Not(Contains(VariantWith<PeerRestarted>(_))));
  EXPECT_THAT(asked(6, elsewhere), Not(Contains(VariantWith<PeerRestarted>(_)))) << "perhaps a replayed one";
  EXPECT_THAT(asked(6, at), Contains(VariantWith<PeerRestarted>(_)));
  EXPECT_THAT(asked(6, at), Not(Contains(VariantWith<PeerRestarted>(_))));
}

}  // namespace
}  // namespace hearthcast::nat
