// What the operator decides: who is let in, who is sent away, and how a server is left before a restart.
#include <gmock/gmock.h>

#include "tests/unit/introduce/service_fixture.hpp"

namespace hearthcast::rendezvous {
namespace {

using signalling::ErrorCode;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct OperateTest : ServiceTest {
  OperateTest() {
    policy.unix_time = [this] { return unix_time; };
  }
  void make_token(const std::string& secret, std::optional<std::int64_t> uses = {}) {
    TokenRecord token;
    token.hash = crypto.sha256(as_bytes(secret));
    token.created_at = unix_time;
    token.uses_left = uses;
    ASSERT_TRUE(service().directory().add_token(token));
  }
  // Says hello with that token; the words of the refusal, or nothing.
  std::optional<signalling::Error> come(Party& party, const std::string& token = "",
                                        const char* from = "203.0.113.5:50000") {
    open(party, from);
    signalling::Hello hello = hello_of(party, server_key);
    hello.enrolment = token;
    say(party, hello);
    auto refusal = heard<signalling::Error>(party);
    EXPECT_EQ(heard<signalling::Welcome>(party).has_value(), !refusal);
    return refusal;
  }
  void close(const Party& party, const std::string& reason) {
    ASSERT_TRUE(service().directory().close_box(party.identity.id(), reason, unix_time));
    perform(service().on_box_changed(party.identity.id()));
  }
  std::int64_t unix_time = 1'800'000'000;
};

TEST_F(OperateTest, AnOpenRendezvousEnrolsABoxWithItsFirstList) {
  EXPECT_FALSE(come(box));
  EXPECT_THAT(changes, IsEmpty()) << "who only says hello leaves nothing behind";
  allow(box, {});
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].boxes.at(0).box, box.identity.id());
  EXPECT_EQ(changes[0].boxes.at(0).enrolled_at, unix_time);
  allow(box, {device.identity.id()}, 2);
  EXPECT_THAT(changes, SizeIs(1));
  EXPECT_EQ(service().counters().enrolled, 1U);
}

TEST_F(OperateTest, WithTokensAStrangerIsToldWhatToDo) {
  policy.enrolment = Enrolment::kToken;
  policy.contact = "mail ops@example.org";
  const auto refusal = come(box);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, ErrorCode::kNotEnrolled);
  EXPECT_THAT(refusal->text, HasSubstr("rendezvous.token"));
  EXPECT_THAT(refusal->text, HasSubstr("mail ops@example.org"));
  EXPECT_THAT(closed, Contains(box.session));
  EXPECT_EQ(service().counters().not_enrolled, 1U);
  EXPECT_EQ(service().counters().hellos, 0U);
  EXPECT_EQ(service().registry().boxes(), 0U);
}

TEST_F(OperateTest, ATokenEnrolsOnceAndIsNotNeededAgain) {
  policy.enrolment = Enrolment::kToken;
  make_token("7K2M0", 1);
  EXPECT_FALSE(come(box, "7K2M0"));
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].tokens.at(0).uses_left, 0) << "box and token are written together";
  Party second{{}, Role::kBox};
  const auto refusal = come(second, "7K2M0");
  ASSERT_TRUE(refusal);
  EXPECT_THAT(refusal->text, HasSubstr("used up"));
  EXPECT_FALSE(come(box)) << "who is enrolled needs none";
  EXPECT_FALSE(come(box, "another one")) << "and its settings may keep any";
}

TEST_F(OperateTest, GuessingTokensIsLimitedBySource) {
  policy.enrolment = Enrolment::kToken;
  policy.new_boxes = {3, 1h};
  make_token("7K2M0");
  for (int guess = 0; guess < 3; ++guess) {
    Party guesser{{}, Role::kBox};
    EXPECT_EQ(come(guesser, "guess " + std::to_string(guess))->code, ErrorCode::kNotEnrolled);
  }
  Party late{{}, Role::kBox};
  EXPECT_EQ(come(late, "7K2M0")->code, ErrorCode::kRate) << "even the right one";
  Party elsewhere{{}, Role::kBox};
  EXPECT_FALSE(come(elsewhere, "7K2M0", "198.51.100.9:1"));
}

TEST_F(OperateTest, AFullRendezvousTakesNoMoreTokens) {
  policy.enrolment = Enrolment::kToken;
  policy.max_boxes = 1;
  make_token("7K2M0");
  EXPECT_FALSE(come(box, "7K2M0"));
  Party second{{}, Role::kBox};
  EXPECT_EQ(come(second, "7K2M0")->code, ErrorCode::kRate);
}

TEST_F(OperateTest, AClosedRendezvousKeepsTheOnesItHas) {
  policy.enrolment = Enrolment::kClosed;
  make_token("7K2M0");
  (void)service().directory().enrol(box.identity.id(), unix_time);
  EXPECT_FALSE(come(box));
  Party stranger{{}, Role::kBox};
  const auto refusal = come(stranger, "7K2M0");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, ErrorCode::kNotEnrolled);
  EXPECT_THAT(refusal->text, HasSubstr("no new boxes"));
}

TEST_F(OperateTest, DevicesNeedNoEnrolment) {
  policy.enrolment = Enrolment::kClosed;
  EXPECT_FALSE(come(device));
}

TEST_F(OperateTest, AnOpenRendezvousTakesATokenForItsOwnerAndABadOneDoesNoHarm) {
  const OwnerId owner = service().directory().add_owner("Household", unix_time)->owners.front().id;
  TokenRecord token;
  token.hash = crypto.sha256(as_bytes("7K2M0"));
  token.owner = owner;
  ASSERT_TRUE(service().directory().add_token(token));
  EXPECT_FALSE(come(box, "7K2M0"));
  EXPECT_EQ(service().directory().find(box.identity.id())->owner, owner);
  Party other{{}, Role::kBox};
  EXPECT_FALSE(come(other, "no such token"));
  EXPECT_EQ(service().directory().find(other.identity.id()), nullptr);
}

TEST_F(OperateTest, ABoxThatIsClosedLeavesAtOnceAndIsToldWhyEachTime) {
  join(box);
  allow(box, {device.identity.id()});
  join(device);
  close(box, "unpaid since May");
  auto told = heard<signalling::Error>(box);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code, ErrorCode::kClosed);
  EXPECT_THAT(told->text, HasSubstr("unpaid since May"));
  EXPECT_THAT(closed, Contains(box.session));
  EXPECT_THAT(come(box)->text, HasSubstr("unpaid since May"));

  device.role = Role::kDevice;
  say(device, signalling::IntroduceRequest{5, box.identity.id(), {1}, {2}, {}});
  told = heard<signalling::Error>(device);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code, ErrorCode::kClosed);
  EXPECT_EQ(told->id, 5U);
  EXPECT_THAT(told->text, HasSubstr("unpaid since May"));

  ASSERT_TRUE(service().directory().open_box(box.identity.id()));
  perform(service().on_box_changed(box.identity.id()));
  EXPECT_FALSE(come(box));
}

TEST_F(OperateTest, AStrangerIsNotToldThatABoxIsClosed) {
  join(box);
  allow(box, {});
  join(device);
  close(box, "unpaid");
  say(device, signalling::IntroduceRequest{5, box.identity.id(), {1}, {2}, {}});
  EXPECT_EQ(error_for(device), ErrorCode::kNotAllowed);
}

TEST_F(OperateTest, TheDirectoryGrantsNothing) {
  // Whatever an operator does to his records: who may ask a box stands in the list that the box signed.
  join(box);
  allow(box, {});
  join(device);
  Directory& directory = service().directory();
  const OwnerId owner = directory.add_owner("Household", unix_time)->owners.front().id;
  ASSERT_TRUE(directory.move_box(box.identity.id(), owner));
  ASSERT_TRUE(directory.name_box(box.identity.id(), "Attic"));
  (void)directory.enrol(device.identity.id(), unix_time);  // as if it were a box of the same owner
  ASSERT_TRUE(directory.move_box(device.identity.id(), owner));
  perform(service().on_box_changed(box.identity.id()));
  say(device, signalling::IntroduceRequest{5, box.identity.id(), {1}, {2}, {}});
  EXPECT_EQ(error_for(device), ErrorCode::kNotAllowed);
  EXPECT_FALSE(heard<signalling::IntroduceOffer>(box));
}

TEST_F(OperateTest, AForgottenBoxLosesItsListAndItsSession) {
  policy.enrolment = Enrolment::kToken;
  make_token("7K2M0", 1);
  EXPECT_FALSE(come(box, "7K2M0"));
  allow(box, {device.identity.id()});
  EXPECT_TRUE(service().allow_lists().revision_of(box.identity.id()));
  ASSERT_TRUE(service().directory().forget_box(box.identity.id()));
  perform(service().on_box_changed(box.identity.id()));
  EXPECT_FALSE(service().allow_lists().revision_of(box.identity.id()));
  EXPECT_EQ(error_for(box), ErrorCode::kNotEnrolled);
  EXPECT_TRUE(come(box, "7K2M0")) << "the token was for one";
}

TEST_F(OperateTest, DrainingSendsClientsAwayOneByOneAndLetsNobodyIn) {
  std::vector<Party> clients(10);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i].role = i % 2 == 0 ? Role::kBox : Role::kDevice;
    join(clients[i]);
  }
  Party guest{{}, Role::kBox};
  open(guest);
  const Time begin = now;
  perform(service().drain(60s, 20, now));
  EXPECT_TRUE(service().draining());
  EXPECT_EQ(heard<signalling::Error>(guest)->code, ErrorCode::kDraining)
      << "who is not welcome yet goes at once";
  std::vector<std::size_t> gone;
  while (service().next_deadline() != kNever) {
    now = service().next_deadline();
    perform(service().on_deadline(now));
    gone.push_back(service().registry().boxes() + service().registry().devices());
  }
  EXPECT_THAT(gone, testing::ElementsAre(9, 8, 7, 6, 5, 4, 3, 2, 1, 0)) << "one at a time";
  EXPECT_GE(now - begin, 50s);
  EXPECT_LE(now - begin, 60s);
  for (const Party& client : clients) {
    const auto told = heard<signalling::Error>(client);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->code, ErrorCode::kDraining);
    EXPECT_EQ(told->retry_s, 20U);
  }
  Party late{{}, Role::kDevice};
  open(late);
  EXPECT_EQ(heard<signalling::Error>(late)->retry_s, 20U);
  EXPECT_FALSE(heard<signalling::Challenge>(late));
  service().resume();
  join(late);
  EXPECT_TRUE(heard<signalling::Welcome>(late));
}

TEST_F(OperateTest, DrainingInNoTimeIsAtOnce) {
  join(box);
  join(device);
  perform(service().drain(0s, 5, now));
  perform(service().on_deadline(now));
  EXPECT_EQ(service().registry().boxes() + service().registry().devices(), 0U);
  EXPECT_EQ(service().next_deadline(), kNever);
}

TEST_F(OperateTest, AClientThatConnectedBeforeTheKeyChangedIsStillTaken) {
  open(box);
  Sha256 new_key{};
  new_key.fill(3);
  service().set_server_key(new_key);
  say(box, hello_of(box, server_key));
  EXPECT_TRUE(heard<signalling::Welcome>(box));
  open(device);
  say(device, hello_of(device, new_key));
  EXPECT_TRUE(heard<signalling::Welcome>(device));
  Sha256 newest{};
  newest.fill(4);
  service().set_server_key(newest);
  Party old{{}, Role::kDevice};
  open(old);
  say(old, hello_of(old, server_key));
  EXPECT_EQ(error_for(old), ErrorCode::kBadSignature) << "two keys ago is too long";
}

}  // namespace
}  // namespace hearthcast::rendezvous
