// When the agent doubts the path that it uses, and what it does then; and when a box keeps its router's
// filter open.
#include "tests/unit/nat/agent_fixture.hpp"

namespace hearthcast::nat {
namespace {

struct DoubtTest : AgentTest {
  DoubtTest() {  // a path with a round trip of 20 ms
    auto out = device.on_candidates({{CandidateType::kServerReflexive, at}}, t0);
    out = device.on_stun(at, answer(out, pair.box), t0 + 20ms);
    (void)device.on_stun(at, answer(out, pair.box), t0 + 40ms);
    now = t0 + 1s;
  }
  // Until then nobody answers. How many checks went to `at`.
  int run(Time until) {
    int checks = 0;
    while (device.next_deadline() <= until) {
      now = std::max(now, device.next_deadline());
      for (const auto& action : device.on_deadline(now)) {
        note(action);
        const auto* datagram = std::get_if<SendDatagram>(&action);
        checks += datagram != nullptr && datagram->to == at ? 1 : 0;
      }
    }
    now = until;
    return checks;
  }
  void note(const Action& action) {
    suspected += std::holds_alternative<PathSuspected>(action) ? 1 : 0;
    suspected_at = std::holds_alternative<PathSuspected>(action) ? now : suspected_at;
  }

  Agent device = make(Role::kControlling);
  Time now;
  int suspected = 0;
  Time suspected_at{};
};

TEST_F(DoubtTest, ASilentPathIsCheckedInQuickSuccessionAndSuspectedOnce) {
  EXPECT_EQ(sent(device.on_silence(now)).size(), 1U);
  run(now + 450ms);
  EXPECT_EQ(suspected, 1);
  EXPECT_EQ(suspected_at, t0 + 1s + 200ms) << "three checks, 100 ms apart";
  EXPECT_TRUE(device.suspects_path());
  EXPECT_EQ(device.selected(), at) << "it may come back";
  const int checks = run(now + 10s);
  EXPECT_GE(checks, 8);
  EXPECT_LE(checks, 24) << "and no flood";
  EXPECT_EQ(suspected, 1);
}

TEST_F(DoubtTest, ALongRoundTripGetsItsTime) {
  auto out = device.on_silence(now);
  (void)device.on_stun(at, answer(out, pair.box), now + 200ms);  // now it is known
  now += 1s;
  (void)device.on_silence(now);
  run(now + 790ms);
  EXPECT_EQ(suspected, 0) << "an answer of 400 ms would be in time";
  run(now + 100ms);
  EXPECT_EQ(suspected, 1);
}

TEST_F(DoubtTest, AnAnswerConfirmsIt) {
  auto out = device.on_silence(now);
  out = device.on_stun(at, answer(out, pair.box), now + 20ms);
  EXPECT_THAT(out, Contains(VariantWith<PathConfirmed>(_)));
  run(now + 3s);
  EXPECT_EQ(suspected, 0);
  out = device.on_silence(now);
  const auto last = out;
  run(now + 1s);
  EXPECT_EQ(suspected, 1);
  out = device.on_stun(at, answer(last, pair.box), now);  // even the first of them, late
  EXPECT_THAT(out, Contains(VariantWith<PathConfirmed>(_)));
  EXPECT_FALSE(device.suspects_path());
  now += 1s;
  (void)device.on_silence(now);
  run(now + 1s);
  EXPECT_EQ(suspected, 2) << "the next time again";
}

TEST_F(DoubtTest, ANewCandidateThatAnswersTakesTheSilentPathsPlaceAtOnce) {
  (void)device.on_silence(now);
  run(now + 300ms);
  auto out = device.on_candidates({{CandidateType::kServerReflexive, elsewhere}}, now);
  out = device.on_stun(elsewhere, answer(out, pair.box), now + 20ms);
  EXPECT_TRUE(last_check(out).use_candidate);
  out = device.on_stun(elsewhere, answer(out, pair.box), now + 40ms);
  EXPECT_THAT(out, Contains(VariantWith<PathSelected>(_)));
  EXPECT_EQ(device.selected(), elsewhere);
  EXPECT_FALSE(device.suspects_path());
}

TEST_F(DoubtTest, OneThatAnsweredWhileThePathDidNotIsTakenAtOnce) {
  (void)device.on_silence(now);
  run(now + 20ms);
  auto out = device.on_candidates({{CandidateType::kServerReflexive, elsewhere}}, now);
  out = device.on_stun(elsewhere, answer(out, pair.box), now + 20ms);
  EXPECT_THAT(out, Not(Contains(VariantWith<PathNominated>(_)))) << "this one may just be slow";
  while (!device.suspects_path()) {
    now = device.next_deadline();
    out = device.on_deadline(now);
  }
  EXPECT_THAT(out, Contains(VariantWith<PathNominated>(_)));
}

TEST_F(DoubtTest, APathThatAnsweredLongAgoIsNoRescueBeforeItAnswersAgain) {
  auto out = device.on_candidates({{CandidateType::kRelayed, elsewhere}}, now);
  (void)device.on_stun(elsewhere, answer(out, pair.box), now + 20ms);  // a spare one, proven for 30 s
  EXPECT_EQ(device.selected(), at);
  now += 10s;
  (void)device.on_silence(now);
  bool nominated = false;
  Actions check;
  while (device.next_deadline() <= now + 400ms) {
    for (const auto& action : device.on_deadline(device.next_deadline())) {
      nominated |= std::holds_alternative<PathNominated>(action);
      const auto* datagram = std::get_if<SendDatagram>(&action);
      if (datagram != nullptr && datagram->to == elsewhere) {
        check = {action};
      }
    }
  }
  EXPECT_FALSE(nominated);
  ASSERT_EQ(sent(check).size(), 1U) << "it is asked";
  out = device.on_stun(elsewhere, answer(check, pair.box), now + 420ms);
  EXPECT_THAT(out, Contains(VariantWith<PathNominated>(_)));
}

// A home whose router gets another port again and again: all the former ones are looked at, too.
TEST_F(DoubtTest, WhereThePeerIsSaidToBeNowIsCheckedBeforeAllThePlacesWhereItHasBeen) {
  for (std::uint16_t n = 0; n < 20; ++n) {
    (void)device.on_candidates(
        {{CandidateType::kServerReflexive, {elsewhere.address, std::uint16_t(5000 + n)}}}, now);
  }
  run(now + 4s);
  (void)device.on_silence(now);
  run(now + 260ms);
  ASSERT_EQ(suspected, 1);
  auto out = device.on_candidates({{CandidateType::kServerReflexive, elsewhere}}, now);
  const Time by = now + 50ms;
  for (now = device.next_deadline(); now <= by; now = device.next_deadline()) {
    std::ranges::move(device.on_deadline(now), std::back_inserter(out));
  }
  EXPECT_THAT(out, Contains(VariantWith<SendDatagram>(testing::Field(&SendDatagram::to, elsewhere))));
}

TEST_F(DoubtTest, WhatIsNoBetterRestsWhileThePathAnswers) {
  const Endpoint better = *Endpoint::parse("[2001:db8::1]:4755");
  (void)device.on_candidates(
      {{CandidateType::kServerReflexive, elsewhere}, {CandidateType::kServerReflexive, better}}, now);
  int to_elsewhere = 0, to_better = 0;
  const auto play = [&](Duration time) {  // the path answers
    for (const Time end = now + time; device.next_deadline() <= end;) {
      now = std::max(now, device.next_deadline());
      const auto out = device.on_deadline(now);
      for (const auto& action : out) {
        const auto* datagram = std::get_if<SendDatagram>(&action);
        to_elsewhere += datagram != nullptr && datagram->to == elsewhere ? 1 : 0;
        to_better += datagram != nullptr && datagram->to == better ? 1 : 0;
        if (datagram != nullptr && datagram->to == at) {
          (void)device.on_stun(at, answer({action}, pair.box), now);
        }
      }
    }
  };
  play(1min);
  EXPECT_GT(to_elsewhere, 5) << "it gets its time";
  to_elsewhere = to_better = 0;
  play(10min);
  EXPECT_EQ(to_elsewhere, 0);
  EXPECT_GT(to_better, 15) << "for the life of the session";
  (void)device.on_silence(now);
  bool asked = false;
  for (const Time end = now + 1s; device.next_deadline() <= end;) {
    now = std::max(now, device.next_deadline());
    for (const auto& action : device.on_deadline(now)) {
      const auto* datagram = std::get_if<SendDatagram>(&action);
      asked |= datagram != nullptr && datagram->to == elsewhere;
    }
  }
  EXPECT_TRUE(asked) << "when it does not";
}

TEST_F(DoubtTest, AChangeOfTheNetworkDoubtsThePath) {
  EXPECT_GE(sent(device.on_network_change(now)).size(), 1U);
  run(now + 300ms);
  EXPECT_EQ(suspected, 1);
}

TEST_F(DoubtTest, AFlurryOfNetworkChangesIsNoProofOfSilence) {
  for (int n = 0; n < 20; ++n) {  // links, addresses and routes come one after the other
    (void)device.on_network_change(now);
    now += 5ms;
    for (const auto& action : device.on_deadline(now)) {
      note(action);
    }
  }
  EXPECT_EQ(suspected, 0);
  run(now + 300ms);
  EXPECT_EQ(suspected, 1) << "the last one counts";
}

TEST_F(DoubtTest, ConsentThatIsNotRenewedRaisesItToo) {
  run(now + 12s);
  EXPECT_EQ(suspected, 1);
}

TEST_F(DoubtTest, WhoRanOutOfConsentSuspectsNothingAnyMore) {
  (void)device.on_silence(now);
  run(now + 31s);
  EXPECT_FALSE(device.selected());
  EXPECT_FALSE(device.suspects_path());
}

TEST_F(AgentTest, AControlledEndWhoseAddressChangedChecksThePathItUses) {
  Agent box = make(Role::kControlled);
  EXPECT_THAT(box.on_network_change(t0), IsEmpty()) << "it has none";
  auto out = box.on_stun(at, check(Role::kControlling, true), t0);
  (void)box.on_stun(at, answer(out, pair.device), t0);
  ASSERT_EQ(box.selected(), at);
  EXPECT_EQ(sent(box.on_network_change(t0 + 1s)).size(), 1U);
}

TEST_F(AgentTest, ABoxLurksOnlyWhileThereIsNeedTo) {
  Agent box = make(Role::kControlled);
  Time now = t0;
  const auto checks_within = [&](Duration time) {
    int sum = 0;
    for (const Time end = now + time; box.next_deadline() <= end;) {
      now = std::max(now, box.next_deadline());
      sum += static_cast<int>(sent(box.on_deadline(now)).size());
    }
    now += 1s;
    return sum;
  };
  EXPECT_EQ(sent(box.lurk(at, now)).size(), 1U);
  EXPECT_GE(checks_within(60s), 3);
  box.set_lurking(false, now);
  EXPECT_LE(checks_within(60s), 1) << "the one that was due";
  EXPECT_EQ(box.next_deadline(), kNever);
  box.set_lurking(true, now);
  EXPECT_EQ(box.next_deadline(), now) << "the filter has closed meanwhile";
  EXPECT_GE(checks_within(60s), 4);
}

TEST_F(AgentTest, WhoNeedNotLurkDoesNotWhenConsentHasEnded) {
  Agent box = make(Role::kControlled);
  box.set_lurking(false, t0);
  auto out = box.on_stun(at, check(Role::kControlling, true), t0);
  (void)box.on_stun(at, answer(out, pair.device), t0);
  Time now = t0;
  while (box.next_deadline() != kNever && now < t0 + 5min) {
    now = std::max(now, box.next_deadline());
    (void)box.on_deadline(now);
  }
  EXPECT_FALSE(box.selected());
  EXPECT_LE(now, t0 + 40s);
  now += 1s;
  box.set_lurking(true, now);
  EXPECT_EQ(box.next_deadline(), now) << "it knows where the device was";
}

}  // namespace
}  // namespace hearthcast::nat
