#include <gmock/gmock.h>

#include "tests/unit/introduce/service_fixture.hpp"

namespace hearthcast::rendezvous {
namespace {

using signalling::ErrorCode;

class CarryTest : public ServiceTest {
 protected:
  void join_both() {
    join(box, "198.51.100.1:1000");
    join(device, "192.0.2.1:2000");
    allow(box, {device.identity.id()});
  }
  signalling::IntroduceRequest request(std::uint64_t id) {
    return {id, box.identity.id(), {1, 2}, {3, 4}, {}};
  }
  void see_mapping(const Party& party, const char* endpoint) {
    perform(service().on_presence(heard<signalling::Welcome>(party)->presence.username,
                                  *Endpoint::parse(endpoint), now));
  }
};

TEST_F(CarryTest, AnIntroductionGoesThereAndBack) {
  join_both();
  see_mapping(device, "192.0.2.1:4755");
  see_mapping(box, "198.51.100.1:4755");
  say(device, request(77));
  const auto offer = heard<signalling::IntroduceOffer>(box);
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->device, device.identity.id());
  EXPECT_EQ(offer->payload, (Buffer{1, 2}));
  EXPECT_EQ(offer->signature, (Buffer{3, 4}));
  EXPECT_TRUE(equal(offer->public_key, device.identity.public_key()));
  EXPECT_THAT(offer->observed, testing::ElementsAre(*Endpoint::parse("192.0.2.1:4755")));

  // What a box claims to be observed is replaced by what was seen.
  say(box, signalling::IntroduceAnswer{offer->id, {5}, {6}, {*Endpoint::parse("8.8.8.8:53")}});
  const auto answer = heard<signalling::IntroduceAnswer>(device);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 77U);
  EXPECT_THAT(answer->observed, testing::ElementsAre(*Endpoint::parse("198.51.100.1:4755")));
  say(box, signalling::IntroduceAnswer{offer->id, {5}, {6}, {}});
  EXPECT_FALSE(heard<signalling::IntroduceAnswer>(device));
  EXPECT_EQ(service().counters().introductions, 1U);
  EXPECT_EQ(service().counters().answers, 1U);
}

TEST_F(CarryTest, ARefusalGoesBackToo) {
  join_both();
  say(device, request(1));
  say(box, signalling::IntroduceRefusal{heard<signalling::IntroduceOffer>(box)->id, {5}, {6}});
  EXPECT_EQ(heard<signalling::IntroduceRefusal>(device)->id, 1U);
}

TEST_F(CarryTest, WhoIsNotListedIsNotIntroduced) {
  join_both();
  Party stranger{{}, Role::kDevice};
  join(stranger);
  say(stranger, request(1));
  EXPECT_EQ(error_for(stranger), ErrorCode::kNotAllowed);
  allow(box, {}, 2);
  say(device, request(2));
  EXPECT_EQ(error_for(device), ErrorCode::kNotAllowed);
  EXPECT_FALSE(heard<signalling::IntroduceOffer>(box));
  EXPECT_EQ(service().counters().refused, 2U);
}

TEST_F(CarryTest, AnAbsentBoxIsToldOnlyToItsDevices) {
  join_both();
  service().on_closed(box.session, now);
  say(device, request(1));
  EXPECT_EQ(error_for(device), ErrorCode::kNotPresent);
  Party stranger{{}, Role::kDevice};
  join(stranger);
  say(stranger, request(1));
  EXPECT_EQ(error_for(stranger), ErrorCode::kNotAllowed);
}

TEST_F(CarryTest, OnlyTheAskedBoxAnswers) {
  join_both();
  Party other{{}, Role::kBox};
  join(other);
  say(device, request(1));
  const auto offer = heard<signalling::IntroduceOffer>(box);
  say(other, signalling::IntroduceAnswer{offer->id, {5}, {6}, {}});
  say(other, signalling::PairAnswer{offer->id, "{}"});
  say(box, signalling::PairAnswer{offer->id, "{}"});  // the other kind of answer
  EXPECT_FALSE(heard<signalling::IntroduceAnswer>(device));
  EXPECT_FALSE(heard<signalling::PairAnswer>(device));
  say(box, signalling::IntroduceAnswer{offer->id, {5}, {6}, {}});
  EXPECT_TRUE(heard<signalling::IntroduceAnswer>(device));
}

TEST_F(CarryTest, ABoxThatDoesNotAnswerIsReported) {
  join_both();
  say(device, request(5));
  const auto offer = heard<signalling::IntroduceOffer>(box);
  now = service().next_deadline();
  perform(service().on_deadline(now));
  EXPECT_EQ(error_for(device), ErrorCode::kNotPresent);
  say(box, signalling::IntroduceAnswer{offer->id, {5}, {6}, {}});
  EXPECT_FALSE(heard<signalling::IntroduceAnswer>(device));
}

TEST_F(CarryTest, ADeviceThatLeftHearsNothing) {
  join_both();
  say(device, request(5));
  service().on_closed(device.session, now);
  say(box, signalling::IntroduceAnswer{heard<signalling::IntroduceOffer>(box)->id, {5}, {6}, {}});
  EXPECT_FALSE(heard<signalling::IntroduceAnswer>(device));
}

TEST_F(CarryTest, IntroductionsAreLimitedPerDeviceAndPerBox) {
  policy.introductions = {2, 60s};
  policy.box_load = {3, 60s};
  join_both();
  Party second{{}, Role::kDevice};
  join(second);
  allow(box, {device.identity.id(), second.identity.id()}, 2);
  say(device, request(1));
  say(device, request(2));
  EXPECT_FALSE(error_for(device));
  say(device, request(3));
  EXPECT_EQ(error_for(device), ErrorCode::kRate);
  say(second, request(1));
  EXPECT_FALSE(error_for(second));
  say(second, request(2));
  EXPECT_EQ(error_for(second), ErrorCode::kRate);
  EXPECT_EQ(service().counters().limited, 2U);
}

TEST_F(CarryTest, ListsAreStoredOnceAndForgeriesEndTheSession) {
  join_both();
  ASSERT_THAT(stored, testing::SizeIs(1));
  EXPECT_EQ(stored[0].box, box.identity.id());
  allow(box, {device.identity.id()}, 1);
  EXPECT_THAT(stored, testing::SizeIs(1));
  allow(box, {}, 0);
  const auto old = heard<signalling::Error>(box);
  ASSERT_TRUE(old);
  EXPECT_EQ(old->code, ErrorCode::kBadMessage);
  EXPECT_EQ(old->revision, 1U) << "what it has to pass";
  EXPECT_TRUE(service().allow_lists().allows(box.identity.id(), device.identity.id()));
  say(box, signalling::Allow{{}, 9, {1, 2, 3}});
  EXPECT_EQ(error_for(box), ErrorCode::kBadSignature);
  EXPECT_THAT(closed, testing::Contains(box.session));
}

TEST_F(CarryTest, NewBoxesAreLimitedPerSource) {
  policy.new_boxes = {1, 3600s};
  join_both();
  Party second{{}, Role::kBox};
  join(second, "198.51.100.1:1001");
  allow(second, {device.identity.id()});
  EXPECT_EQ(error_for(second), ErrorCode::kRate);
  EXPECT_FALSE(service().allow_lists().revision_of(second.identity.id()));
  allow(box, {}, 2);  // a known box is not new
  EXPECT_FALSE(error_for(box));
}

TEST_F(CarryTest, PairingByLocatorAndById) {
  join_both();
  Party fresh{{}, Role::kDevice};
  join(fresh);
  say(box, signalling::PairingWindow{"ABCD", 600});
  say(fresh, signalling::PairRequest{1, std::string("ABCD"), "{\"a\":1}"});
  auto offer = heard<signalling::PairOffer>(box);
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->device, fresh.identity.id());
  EXPECT_EQ(offer->payload, "{\"a\":1}");
  say(box, signalling::PairAnswer{offer->id, "{\"b\":2}"});
  EXPECT_EQ(*heard<signalling::PairAnswer>(fresh), (signalling::PairAnswer{1, "{\"b\":2}"}));
  say(fresh, signalling::PairRequest{2, box.identity.id(), "{}"});
  EXPECT_TRUE(heard<signalling::PairOffer>(box));
}

TEST_F(CarryTest, WithoutAnOpenWindowNobodyPairs) {
  join_both();
  Party fresh{{}, Role::kDevice};
  join(fresh);
  say(fresh, signalling::PairRequest{1, box.identity.id(), "{}"});
  EXPECT_EQ(error_for(fresh), ErrorCode::kNoPairing);
  say(box, signalling::PairingWindow{"ABCD", 600});
  now += 600s;
  say(fresh, signalling::PairRequest{2, box.identity.id(), "{}"});
  EXPECT_EQ(error_for(fresh), ErrorCode::kNoPairing);
  say(box, signalling::PairingWindow{"ABCD", 600});
  say(box, signalling::PairingWindow{"", 0});
  say(fresh, signalling::PairRequest{3, std::string("ABCD"), "{}"});
  EXPECT_EQ(error_for(fresh), ErrorCode::kNoPairing);
}

TEST_F(CarryTest, ATakenLocatorIsRefusedAndTriesAreLimited) {
  policy.pairings = {2, 60s};
  join_both();
  Party second{{}, Role::kBox};
  join(second);
  say(box, signalling::PairingWindow{"ABCD", 600});
  say(second, signalling::PairingWindow{"ABCD", 600});
  EXPECT_EQ(error_for(second), ErrorCode::kNoPairing);
  for (std::uint64_t i = 0; i < 3; ++i) {
    say(device, signalling::PairRequest{i, std::string("WXYZ"), "{}"});
  }
  EXPECT_EQ(error_for(device), ErrorCode::kRate);
}

TEST_F(CarryTest, MessagesOfTheOtherRoleEndTheSession) {
  join_both();
  say(box, request(1));
  EXPECT_EQ(error_for(box), ErrorCode::kBadMessage);
  say(device, signalling::PairingWindow{"ABCD", 600});
  EXPECT_EQ(error_for(device), ErrorCode::kBadMessage);
  EXPECT_THAT(closed, testing::UnorderedElementsAre(box.session, device.session));
}

TEST_F(CarryTest, DevicesHearWhereTheirBoxIsNow) {
  join_both();
  const std::string user = heard<signalling::Welcome>(box)->presence.username;
  perform(service().on_presence(user, *Endpoint::parse("198.51.100.1:4755"), now));
  EXPECT_TRUE(heard<signalling::Moved>(device)) << "one that waits for its box hears of it, too";
  perform(service().on_presence(user, *Endpoint::parse("198.51.100.1:4755"), now));
  EXPECT_FALSE(heard<signalling::Moved>(device)) << "nothing new";
  perform(service().on_presence(user, *Endpoint::parse("203.0.113.9:4755"), now));
  const auto moved = heard<signalling::Moved>(device);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->box, box.identity.id());
  EXPECT_THAT(moved->endpoints, testing::ElementsAre(*Endpoint::parse("203.0.113.9:4755")));
  EXPECT_FALSE(heard<signalling::Moved>(box));
  EXPECT_EQ(service().counters().moves, 2U);
}

TEST_F(CarryTest, WhatABoxSaysOfItselfGoesToItsDevicesAlone) {
  join_both();
  Party stranger{{}, Role::kDevice};
  join(stranger);
  const signalling::Moved moved{box.identity.id(), {*Endpoint::parse("[2001:db8::7]:4755")}};
  say(box, moved);
  EXPECT_EQ(heard<signalling::Moved>(device), moved);
  EXPECT_FALSE(heard<signalling::Moved>(stranger));
  service().on_closed(device.session, now);
  say(box, moved);
  EXPECT_FALSE(heard<signalling::Moved>(device));
}

TEST_F(CarryTest, ABoxDoesNotSpeakOfAnotherNorADeviceOfABox) {
  join_both();
  say(device, signalling::Moved{box.identity.id(), {*Endpoint::parse("203.0.113.9:4755")}});
  EXPECT_EQ(error_for(device), ErrorCode::kBadMessage);
  Party other{{}, Role::kBox};
  join(other);
  say(other, signalling::Moved{box.identity.id(), {*Endpoint::parse("203.0.113.9:4755")}});
  EXPECT_EQ(error_for(other), ErrorCode::kBadMessage);
  EXPECT_THAT(closed, testing::IsSupersetOf({device.session, other.session}));
}

TEST_F(CarryTest, ADevicesMappingIsNobodyElsesBusiness) {
  join_both();
  see_mapping(device, "192.0.2.1:4755");
  EXPECT_FALSE(heard<signalling::Moved>(device));
  EXPECT_FALSE(heard<signalling::Moved>(box));
}

TEST_F(CarryTest, ABoxThatMovesAllTheTimeIsPassedOnSoOftenOnly) {
  policy.moves = {3, 60s};
  join_both();
  const std::string user = heard<signalling::Welcome>(box)->presence.username;
  int told = 0;
  for (std::uint16_t n = 0; n < 10; ++n) {
    perform(service().on_presence(
        user, {*IpAddress::parse("198.51.100.1"), static_cast<std::uint16_t>(5000 + n)}, now));
    told += heard<signalling::Moved>(device) ? 1 : 0;
  }
  EXPECT_EQ(told, 3);
  now += 20s;
  perform(service().on_presence(user, *Endpoint::parse("198.51.100.1:6000"), now));
  EXPECT_TRUE(heard<signalling::Moved>(device));
}

}  // namespace
}  // namespace hearthcast::rendezvous
