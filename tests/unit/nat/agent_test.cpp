// The agent's table of (event, state, actions), one row a test. Whole conversations are in tests/sim.
#include <algorithm>

#include "tests/unit/nat/agent_fixture.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::nat {
namespace {

TEST_F(AgentTest, NothingToDoBeforeThereIsACandidate) {
  EXPECT_EQ(make(Role::kControlling).next_deadline(), kNever);
  EXPECT_EQ(make(Role::kControlled).next_deadline(), kNever);
}

TEST_F(AgentTest, ACheckHasWhatTheRfcAsksFor) {  // RFC 8445 section 7.1
  Agent agent = make(Role::kControlling);
  const auto out = agent.on_candidates({{CandidateType::kHost, at}}, t0);
  const auto message = last_check(out);
  EXPECT_EQ(message.username, pair.box.ufrag + ":" + pair.device.ufrag);
  EXPECT_EQ(message.priority, priority(CandidateType::kPeerReflexive, Family::kIp4));
  EXPECT_TRUE(message.ice_controlling && !message.ice_controlled);
  EXPECT_FALSE(message.use_candidate);
  EXPECT_TRUE(message.has_fingerprint);
  EXPECT_TRUE(
      wire::check_integrity(std::get<SendDatagram>(out.at(0)).bytes, crypto, as_bytes(pair.box.password)));
}

TEST_F(AgentTest, TheControllingEndNominatesTheBestPairAtOnceAndSelectsOnTheAnswer) {
  Agent agent = make(Role::kControlling);
  auto out = agent.on_candidates({{CandidateType::kHost, at}}, t0);
  out = agent.on_stun(at, answer(out, pair.box), t0 + 10ms);
  EXPECT_THAT(out, Contains(VariantWith<EndpointProven>(_)));
  EXPECT_THAT(out, Not(Contains(VariantWith<PathSelected>(_))));
  EXPECT_TRUE(last_check(out).use_candidate);
  out = agent.on_stun(at, answer(out, pair.box), t0 + 20ms);
  EXPECT_THAT(out, Contains(VariantWith<PathSelected>(_)));
  EXPECT_EQ(agent.selected(), at);
  EXPECT_EQ(agent.round_trip(), 10ms);
}

TEST_F(AgentTest, AWorsePairWaitsALittleForABetterOne) {
  Agent agent = make(Role::kControlling);
  auto out =
      agent.on_candidates({{CandidateType::kHost, elsewhere}, {CandidateType::kServerReflexive, at}}, t0);
  out = agent.on_deadline(t0 + 50ms);  // the second candidate's turn
  out = agent.on_stun(at, answer(out, pair.box), t0 + 60ms);
  EXPECT_THAT(sent(out), IsEmpty());
  EXPECT_EQ(agent.next_deadline(), t0 + 160ms);
  out = agent.on_deadline(t0 + 160ms);
  EXPECT_TRUE(last_check(out).use_candidate);
}

TEST_F(AgentTest, AnAnswerFromAnotherEndpointProvesNothing) {  // RFC 8445 section 7.2.5.2.1
  Agent agent = make(Role::kControlling);
  auto out = agent.on_candidates({{CandidateType::kHost, at}}, t0);
  EXPECT_THAT(agent.on_stun(elsewhere, answer(out, pair.box), t0 + 10ms), IsEmpty());
  EXPECT_EQ(agent.counters().unexpected_answers, 1U);
  EXPECT_FALSE(agent.is_proven(at, t0 + 10ms) || agent.is_proven(elsewhere, t0 + 10ms));
}

TEST_F(AgentTest, AnAnswerCountsOnce) {
  Agent agent = make(Role::kControlling);
  auto out = agent.on_candidates({{CandidateType::kHost, at}}, t0);
  const Buffer bytes = answer(out, pair.box);
  (void)agent.on_stun(at, bytes, t0);
  EXPECT_THAT(agent.on_stun(at, bytes, t0), IsEmpty());
}

TEST_F(AgentTest, TheControlledEndAnswersAndChallengesAnUnknownSource) {
  Agent agent = make(Role::kControlled);
  const auto out = agent.on_stun(at, check(Role::kControlling, true), t0);
  const auto messages = sent(out);
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].message_class, wire::StunClass::kSuccess);
  EXPECT_EQ(messages[0].xor_mapped_address, at);
  EXPECT_EQ(messages[1].message_class, wire::StunClass::kRequest);
  EXPECT_TRUE(messages[1].ice_controlled);
  EXPECT_FALSE(agent.selected());  // not before the challenge is answered
  const auto proven = agent.on_stun(at, answer(out, pair.device), t0 + 10ms);
  EXPECT_THAT(proven, Contains(VariantWith<PathSelected>(_)));
}

TEST_F(AgentTest, WithoutNominationTheControlledEndOnlyProves) {
  Agent agent = make(Role::kControlled);
  auto out = agent.on_stun(at, check(Role::kControlling), t0);
  out = agent.on_stun(at, answer(out, pair.device), t0);
  EXPECT_THAT(out, Contains(VariantWith<EndpointProven>(_)));
  EXPECT_FALSE(agent.selected());
  EXPECT_THAT(agent.on_stun(at, check(Role::kControlling, true), t0 + 1s),
              Contains(VariantWith<PathSelected>(_)));
}

TEST_F(AgentTest, ChallengesKeepTheirDistance) {
  Agent agent = make(Role::kControlled);
  EXPECT_EQ(sent(agent.on_stun(at, check(Role::kControlling), t0)).size(), 2U);
  EXPECT_EQ(sent(agent.on_stun(at, check(Role::kControlling), t0 + 1ms)).size(), 1U);  // the answer alone
  EXPECT_EQ(agent.next_deadline(), t0 + 50ms);
  EXPECT_EQ(sent(agent.on_deadline(t0 + 50ms)).size(), 1U);
}

TEST_F(AgentTest, APathThroughTheRelayIsUsedUntilThereIsABetterOne) {
  Agent agent = make(Role::kControlling);
  const Endpoint relayed = wire::channel_endpoint(0x4001);
  at = relayed;
  auto out = agent.on_stun(relayed, check(Role::kControlled), t0);
  out = agent.on_stun(relayed, answer(out, pair.box), t0 + 10ms);
  EXPECT_TRUE(last_check(out).use_candidate) << "nothing better is being tried";
  out = agent.on_stun(relayed, answer(out, pair.box), t0 + 20ms);
  ASSERT_EQ(agent.selected(), relayed);
  EXPECT_EQ(agent.selected_type(), CandidateType::kRelayed);
  at = elsewhere;
  out = agent.on_stun(elsewhere, check(Role::kControlled), t0 + 1s);
  out = agent.on_stun(elsewhere, answer(out, pair.box), t0 + 1s + 10ms);
  EXPECT_TRUE(last_check(out).use_candidate);
  const auto told = std::ranges::find_if(
      out, [](const Action& action) { return std::holds_alternative<PathNominated>(action); });
  ASSERT_NE(told, out.end());
  EXPECT_EQ(std::get<PathNominated>(*told).remote, elsewhere);
  EXPECT_TRUE(std::holds_alternative<SendDatagram>(*std::next(told))) << "told before the check is sent";
  out = agent.on_stun(elsewhere, answer(out, pair.box), t0 + 1s + 20ms);
  EXPECT_THAT(out, Contains(VariantWith<PathSelected>(_)));
  EXPECT_EQ(agent.selected(), elsewhere);
  EXPECT_EQ(agent.selected_type(), CandidateType::kPeerReflexive);
}

TEST_F(AgentTest, ARelayedCandidateThatWasHeardBeforeItWasNamedCountsAsOne) {
  Agent agent = make(Role::kControlled);
  (void)agent.on_stun(elsewhere, check(Role::kControlling, true), t0);
  auto out = agent.on_candidates({{CandidateType::kRelayed, elsewhere}}, t0 + 1s);
  at = elsewhere;
  (void)agent.on_stun(elsewhere, answer(out, pair.device), t0 + 1s);
  ASSERT_EQ(agent.selected(), elsewhere);
  EXPECT_EQ(agent.selected_type(), CandidateType::kRelayed);
}

TEST_F(AgentTest, WrongUsernameAndWrongPasswordAreCountedAndSilent) {
  Agent agent = make(Role::kControlled);
  EXPECT_THAT(agent.on_stun(at, check(Role::kControlled), t0), IsEmpty());  // meant for the device
  EXPECT_EQ(agent.counters().bad_username, 1U);
  wire::StunMessage forged;
  forged.username = pair.box.ufrag + ":" + pair.device.ufrag;
  EXPECT_THAT(agent.on_stun(at, wire::encode_stun(forged), t0), IsEmpty());
  EXPECT_THAT(agent.on_stun(at, wire::encode_stun(forged, crypto, as_bytes("guess")), t0), IsEmpty());
  EXPECT_EQ(agent.counters().bad_integrity, 2U);
  EXPECT_EQ(agent.next_deadline(), kNever);
}

TEST_F(AgentTest, ConsentIsRenewedAndIsLostAfterThirtySeconds) {
  Agent agent = make(Role::kControlling);
  auto out = agent.on_candidates({{CandidateType::kHost, at}}, t0);
  out = agent.on_stun(at, answer(out, pair.box), t0);
  out = agent.on_stun(at, answer(out, pair.box), t0);
  ASSERT_EQ(agent.selected(), at);
  const Time first = agent.next_deadline();
  EXPECT_GE(first, t0 + 4s);
  EXPECT_LE(first, t0 + 6s);
  out = agent.on_deadline(first);
  EXPECT_TRUE(last_check(out).use_candidate);  // a restarted box learns its path
  (void)agent.on_stun(at, answer(out, pair.box), first);
  Time now = first;
  bool lost = false;
  while (!lost && now < first + 1min) {
    now = agent.next_deadline();
    for (const auto& action : agent.on_deadline(now)) {
      lost |= std::holds_alternative<PathLost>(action);
    }
  }
  EXPECT_EQ(now, first + 30s);
  EXPECT_FALSE(agent.selected());
}

TEST_F(AgentTest, SilenceIsCheckedAtOnceButNotTwiceWithinThePacing) {
  Agent agent = make(Role::kControlling);
  EXPECT_THAT(agent.on_silence(t0), IsEmpty());  // no path, nothing to check
  auto out = agent.on_candidates({{CandidateType::kHost, at}}, t0);
  out = agent.on_stun(at, answer(out, pair.box), t0);
  (void)agent.on_stun(at, answer(out, pair.box), t0);
  EXPECT_EQ(sent(agent.on_silence(t0 + 1s)).size(), 1U);
  EXPECT_THAT(agent.on_silence(t0 + 1s + 10ms), IsEmpty());
  EXPECT_EQ(agent.next_deadline(), t0 + 1s + 100ms) << "the next one is due anyway";
}

TEST_F(AgentTest, UnknownAttributesGet420WithTheirList) {  // RFC 8489 section 6.3.1
  Agent agent = make(Role::kControlled);
  // A comprehension-required type that nobody knows, spliced in before MESSAGE-INTEGRITY.
  wire::StunMessage m;
  m.transaction = {77};
  m.username = pair.box.ufrag + ":" + pair.device.ufrag;
  Buffer plain = wire::encode_stun(m);
  plain.resize(plain.size() - 8);  // without FINGERPRINT
  Writer w(plain);
  w.u16(0x7777);
  w.u16(0);
  Buffer sealed = plain;
  Writer(sealed).patch_u16(2, static_cast<std::uint16_t>(plain.size() - 20 + 24));
  const auto mac = crypto.hmac_sha1(as_bytes(pair.box.password), sealed);
  Writer s(sealed);
  s.u16(0x0008);
  s.u16(20);
  s.bytes(mac);
  const auto messages = sent(agent.on_stun(at, sealed, t0));
  ASSERT_EQ(messages.size(), 1U);
  ASSERT_TRUE(messages[0].error);
  EXPECT_EQ(messages[0].error->code, 420);
  EXPECT_THAT(messages[0].unknown_attributes, testing::ElementsAre(0x7777));
}

TEST_F(AgentTest, EveryPrefixOfACheckIsDropped) {
  Agent agent = make(Role::kControlled);
  const Buffer whole = check(Role::kControlling, true);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_THAT(agent.on_stun(at, Bytes(whole).first(n), t0), IsEmpty()) << n;
  }
}

TEST_F(AgentTest, AnEndpointThatProvesNothingAnyMoreGivesWay) {
  // A device that roams: every few minutes its NAT gives it another port, and each is proven once.
  Agent agent = make(Role::kControlled);
  Time now = t0;
  for (std::uint16_t n = 0; n < 3 * Agent::kMaxPairs; ++n, now += 5min) {
    at.port = static_cast<std::uint16_t>(10'000 + n);
    const auto out = agent.on_stun(at, check(Role::kControlling, true), now);
    ASSERT_EQ(sent(out).size(), 2U) << "answered and challenged, the " << n << "th time too";
    EXPECT_THAT(agent.on_stun(at, answer(out, pair.device), now + 10ms),
                Contains(VariantWith<PathSelected>(_)));
    EXPECT_EQ(agent.selected(), at);
  }
}

TEST_F(AgentTest, WhoWasJustNamedDoesNotGiveWay) {
  // Every place where the box has been answered once, and none does any more.
  Agent agent = make(Role::kControlling);
  Time now = t0;
  for (std::uint16_t n = 0; n < Agent::kMaxPairs; ++n, now += 40s) {
    at.port = static_cast<std::uint16_t>(10'000 + n);
    auto out = agent.on_candidates({{CandidateType::kServerReflexive, at}}, now);
    (void)agent.on_stun(at, answer(out, pair.box), now);
  }
  at.port = 4755;
  auto out = agent.on_candidates({{CandidateType::kServerReflexive, at}}, now);
  ASSERT_TRUE(agent.expects(last_check(out).transaction));
  (void)agent.on_candidates({{CandidateType::kServerReflexive, elsewhere}}, now + 5ms);
  (void)agent.on_stun(at, answer(out, pair.box), now + 50ms);
  EXPECT_TRUE(agent.is_proven(at, now + 50ms));
}

TEST_F(AgentTest, WhatIsProvenDoesNotGiveWay) {
  Agent agent = make(Role::kControlled);
  for (std::uint16_t n = 0; n < Agent::kMaxPairs; ++n) {
    at.port = static_cast<std::uint16_t>(10'000 + n);
    const auto out = agent.on_stun(at, check(Role::kControlling), t0);
    (void)agent.on_stun(at, answer(out, pair.device), t0);
  }
  EXPECT_EQ(sent(agent.on_stun(elsewhere, check(Role::kControlling), t0 + 1s)).size(), 1U)
      << "no room: an answer alone";
  EXPECT_TRUE(agent.is_proven(at, t0 + 1s));
  EXPECT_EQ(sent(agent.on_stun(elsewhere, check(Role::kControlling), t0 + 31s)).size(), 2U);
}

TEST_F(AgentTest, WhoOnlyEverAskedIsNotLookedForWhenThePathFalters) {
  // One replayed check must not make the box send ten to whoever is at the address that it came from.
  Agent box = make(Role::kControlled);
  (void)box.on_stun(at, answer(box.on_stun(at, check(Role::kControlling, true), t0), pair.device), t0);
  ASSERT_EQ(box.selected(), at);
  EXPECT_EQ(sent(box.on_stun(elsewhere, check(Role::kControlling), t0 + 1s)).size(), 2U);  // answer and check
  std::size_t to_stranger = 0, to_device = 0;
  for (Time now = box.next_deadline(); now < t0 + 25s; now = box.next_deadline()) {
    for (const auto& action : box.on_deadline(now)) {
      if (const auto* datagram = std::get_if<SendDatagram>(&action)) {
        ++(datagram->to == elsewhere ? to_stranger : to_device);
      }
    }
  }
  EXPECT_EQ(to_stranger, 0U);
  EXPECT_GT(to_device, 3U);  // it is looked for
}

}  // namespace
}  // namespace hearthcast::nat
