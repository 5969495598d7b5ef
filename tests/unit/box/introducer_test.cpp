#include "appliance/app/introducer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::app {
namespace {

using signalling::Introduction;
using testing::ElementsAre;
using testing::IsEmpty;

struct IntroducerTest : testing::Test {
  IntroducerTest() {
    phone = *devices.paired(phone_identity.id(), phone_identity.public_key(), "Phone");
    introducer.set_counters({.generation = 1, .next = 10, .end = 1000});
  }
  access::Access access() const {
    return {std::make_shared<const channels::Catalogue>(),
            std::make_shared<const access::DeviceList>(devices)};
  }
  Introduction asking(std::uint64_t counter) {
    Introduction i;
    i.from = phone_identity.id();
    i.to = box_identity.id();
    random.fill(i.nonce);
    i.freshness = {1, counter};
    i.candidates = {{signalling::CandidateType::kHost, *Endpoint::parse("192.168.7.3:40000")}};
    return i;
  }
  signalling::IntroduceOffer offer(const Introduction& introduction, const Identity& signer) {
    const auto sealed = signalling::seal(signer, introduction);
    return {.id = 1,
            .device = introduction.from,
            .public_key = Buffer(signer.public_key().begin(), signer.public_key().end()),
            .payload = sealed.payload,
            .signature = sealed.signature,
            .observed = {*Endpoint::parse("203.0.113.1:40000")}};
  }
  Introduction opened(const Introducer::Verdict& verdict) {
    const auto result = signalling::open(crypto, box_identity.public_key(), phone_identity.id(),
                                         verdict.reply->payload, verdict.reply->signature);
    EXPECT_TRUE(result);
    return result ? *result : Introduction{};
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslRandom random;
  secure::OpenSslIdentity box_identity = secure::make_identity();
  secure::OpenSslIdentity phone_identity = secure::make_identity();
  access::DeviceList devices;
  DeviceId phone;
  Introducer introducer{crypto, random, box_identity};
  std::vector<nat::Candidate> own{
      {nat::CandidateType::kServerReflexive, *Endpoint::parse("198.51.100.1:4755")},
      {nat::CandidateType::kHost, *Endpoint::parse("192.168.1.2:4755")}};
};

TEST_F(IntroducerTest, ARelayOfTheBoxIsToldAsOne) {
  own.insert(own.begin(), {nat::CandidateType::kRelayed, *Endpoint::parse("203.0.113.11:49200")});
  const auto answer = opened(introducer.on_asked(offer(asking(5), phone_identity), access(), own));
  ASSERT_EQ(answer.candidates.size(), 3U);
  EXPECT_EQ(answer.candidates[0].type, signalling::CandidateType::kRelayed);
  EXPECT_EQ(answer.candidates[1].type, signalling::CandidateType::kServerReflexive);
}

TEST_F(IntroducerTest, APairedDeviceGetsASignedAnswerToItsNonce) {
  const auto asked = asking(1);
  const auto verdict = introducer.on_asked(offer(asked, phone_identity), access(), own);
  ASSERT_TRUE(verdict.reply);
  EXPECT_FALSE(verdict.refused);
  const auto answer = opened(verdict);
  EXPECT_EQ(answer.answers, asked.nonce);
  EXPECT_EQ(answer.freshness, (signalling::Freshness{1, 10}));
  EXPECT_EQ(answer.candidates.size(), 2U);
  EXPECT_EQ(answer.candidates[0].type, signalling::CandidateType::kServerReflexive);
  EXPECT_EQ(verdict.accepted, (signalling::Freshness{1, 1}));
  // What the device says, and what the rendezvous saw.
  EXPECT_THAT(verdict.candidates,
              ElementsAre(nat::Candidate{nat::CandidateType::kHost, *Endpoint::parse("192.168.7.3:40000")},
                          nat::Candidate{nat::CandidateType::kServerReflexive,
                                         *Endpoint::parse("203.0.113.1:40000")}));
}

TEST_F(IntroducerTest, TheOwnerDecidesAboutRelays) {
  using signalling::RelayPolicy;
  const nat::Candidate home{nat::CandidateType::kHost, *Endpoint::parse("192.168.7.3:40000")};
  const nat::Candidate relayed{nat::CandidateType::kRelayed, *Endpoint::parse("203.0.113.10:50000")};
  const nat::Candidate seen{nat::CandidateType::kServerReflexive, *Endpoint::parse("203.0.113.1:40000")};
  const struct {
    RelayPolicy policy;
    std::vector<nat::Candidate> tried;
  } cases[] = {{RelayPolicy::kAuto, {home, relayed, seen}},
               {RelayPolicy::kNever, {home, seen}},
               {RelayPolicy::kAlways, {home, relayed}}};
  std::uint64_t counter = 0;
  for (const auto& c : cases) {
    Introducer own_way{crypto, random, box_identity, c.policy};
    own_way.set_counters({.generation = 1, .next = 10, .end = 1000});
    auto asked = asking(++counter);
    asked.candidates.push_back({signalling::CandidateType::kRelayed, relayed.endpoint});
    const auto verdict = own_way.on_asked(offer(asked, phone_identity), access(), own);
    EXPECT_EQ(verdict.candidates, c.tried) << to_string(c.policy);
    const auto answer = opened(verdict);
    EXPECT_EQ(answer.relay, c.policy) << "the device is told";
    EXPECT_EQ(answer.candidates.size(), 2U) << "from where the relay has to let packets through";
  }
}

TEST_F(IntroducerTest, AReplayIsRefusedAndMovesNothing) {
  const auto recorded = offer(asking(5), phone_identity);
  ASSERT_FALSE(introducer.on_asked(recorded, access(), own).refused);
  for (const auto& again : {recorded, offer(asking(5), phone_identity), offer(asking(4), phone_identity)}) {
    const auto verdict = introducer.on_asked(again, access(), own);
    EXPECT_TRUE(verdict.refused);
    EXPECT_FALSE(verdict.accepted);
    EXPECT_THAT(verdict.candidates, IsEmpty());
    const auto answer = opened(verdict);
    EXPECT_EQ(answer.refusal->code, signalling::IntroductionRefusalCode::kStale);
    EXPECT_EQ(answer.refusal->last, (signalling::Freshness{1, 5}));
    EXPECT_THAT(answer.candidates, IsEmpty());
  }
  EXPECT_FALSE(introducer.on_asked(offer(asking(6), phone_identity), access(), own).refused);
}

TEST_F(IntroducerTest, WhatWasAcceptedInAFormerRunCounts) {
  introducer.set_last(phone_identity.id(), {1, 100});
  EXPECT_TRUE(introducer.on_asked(offer(asking(100), phone_identity), access(), own).refused);
  EXPECT_FALSE(introducer.on_asked(offer(asking(101), phone_identity), access(), own).refused);
}

TEST_F(IntroducerTest, AHigherGenerationBeatsAnyCounter) {
  introducer.set_last(phone_identity.id(), {1, 100});
  auto restored = asking(1);
  restored.freshness = {2, 1};
  EXPECT_FALSE(introducer.on_asked(offer(restored, phone_identity), access(), own).refused);
}

TEST_F(IntroducerTest, AKeyThatTheRendezvousSwappedIsNotBelieved) {
  const auto mallory = secure::make_identity();
  const auto verdict = introducer.on_asked(offer(asking(1), mallory), access(), own);
  EXPECT_TRUE(verdict.refused);
  EXPECT_FALSE(verdict.reply);
  EXPECT_FALSE(verdict.accepted);
  EXPECT_THAT(verdict.candidates, IsEmpty());
}

TEST_F(IntroducerTest, AStrangerGetsNothing) {
  const auto stranger = secure::make_identity();
  auto asked = asking(1);
  asked.from = stranger.id();
  const auto verdict = introducer.on_asked(offer(asked, stranger), access(), own);
  EXPECT_FALSE(verdict.reply);
  EXPECT_EQ(verdict.reason, "not paired");
}

TEST_F(IntroducerTest, ARevokedDeviceIsToldSoBySignature) {
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kRevoked));
  const auto verdict = introducer.on_asked(offer(asking(1), phone_identity), access(), own);
  EXPECT_TRUE(verdict.refused);
  const auto answer = opened(verdict);
  EXPECT_EQ(answer.refusal->code, signalling::IntroductionRefusalCode::kRevoked);
  EXPECT_FALSE(answer.refusal->text.empty());
  EXPECT_THAT(answer.candidates, IsEmpty());  // where the box is stays its secret
}

TEST_F(IntroducerTest, AnAnswerOrAMessageForAnotherBoxIsNotAsking) {
  auto answer = asking(1);
  answer.answers = answer.nonce;
  EXPECT_FALSE(introducer.on_asked(offer(answer, phone_identity), access(), own).reply);
  auto elsewhere = asking(2);
  elsewhere.to = secure::make_identity().id();
  EXPECT_FALSE(introducer.on_asked(offer(elsewhere, phone_identity), access(), own).reply);
  EXPECT_FALSE(
      introducer.on_asked(offer(asking(1), phone_identity), access(), own).refused);  // nothing was used up
}

TEST_F(IntroducerTest, NumbersAreNeverUsedTwiceAndRunOut) {
  introducer.set_counters({.generation = 1, .next = 10, .end = 12});
  EXPECT_TRUE(introducer.wants_counters());
  EXPECT_EQ(opened(introducer.on_asked(offer(asking(1), phone_identity), access(), own)).freshness.counter,
            10U);
  EXPECT_EQ(introducer.next_revision(), (std::uint64_t{1} << 40) + 11);
  EXPECT_FALSE(introducer.next_revision());
  EXPECT_FALSE(introducer.on_asked(offer(asking(2), phone_identity), access(), own).reply);
  introducer.set_counters({.generation = 2, .next = 1, .end = 1000});
  EXPECT_FALSE(introducer.wants_counters());
  EXPECT_EQ(opened(introducer.on_asked(offer(asking(3), phone_identity), access(), own)).freshness,
            (signalling::Freshness{2, 1}));
}

TEST_F(IntroducerTest, AListOfALaterLifeIsPassedByAnotherGeneration) {
  const auto revision = [](std::uint64_t generation) { return (generation << 40) + 5; };
  introducer.set_counters({.generation = 300, .next = 10, .end = 1000});
  EXPECT_EQ(introducer.generation_beyond(revision(299), 1000), 300U) << "it is beyond that already";
  EXPECT_EQ(introducer.generation_beyond(revision(300), 1000), 301U);
  EXPECT_EQ(introducer.generation_beyond(revision(1000), 1000), 1001U);
  introducer.set_counters({.generation = 1001, .next = 1, .end = 100});
  EXPECT_GT(introducer.next_revision(), revision(1000));
}

TEST_F(IntroducerTest, ARendezvousThatLiesCannotUseTheNumbersUp) {
  std::uint64_t generation = 1;
  for (int lie = 0; lie < 100; ++lie) {
    introducer.set_counters({.generation = generation, .next = 1, .end = 100});
    generation = introducer.generation_beyond((generation << 40) + 99, 40).value_or(generation);
  }
  EXPECT_EQ(generation, 41U) << "no further than the clock";
  EXPECT_EQ(introducer.generation_beyond(UINT64_MAX, 40), std::nullopt);
  EXPECT_EQ(introducer.generation_beyond(UINT64_MAX, std::nullopt), std::nullopt) << "without a clock";
}

}  // namespace
}  // namespace hearthcast::app
