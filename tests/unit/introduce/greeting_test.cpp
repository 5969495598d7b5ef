#include <gmock/gmock.h>

#include "tests/unit/introduce/service_fixture.hpp"

namespace hearthcast::rendezvous {
namespace {

using signalling::ErrorCode;
using testing::Contains;
using testing::IsEmpty;

using GreetingTest = ServiceTest;

TEST_F(GreetingTest, AProvenKeyIsWelcome) {
  join(box, "[2001:db8::1]:4000");
  const auto welcome = heard<signalling::Welcome>(box);
  ASSERT_TRUE(welcome);
  EXPECT_EQ(welcome->observed, *Endpoint::parse("[2001:db8::1]:4000"));
  EXPECT_EQ(welcome->presence.port, policy.presence_port);
  EXPECT_EQ(*service().presence_password(welcome->presence.username), welcome->presence.password);
  EXPECT_EQ(service().registry().boxes(), 1U);
}

TEST_F(GreetingTest, ASignatureForAnotherServerOrNonceIsRefused) {
  open(box);
  Sha256 other_key{};
  say(box, hello_of(box, other_key));
  EXPECT_EQ(error_for(box), ErrorCode::kBadSignature);
  EXPECT_THAT(closed, Contains(box.session));

  open(device);
  const signalling::Hello first = hello_of(device, server_key);
  Party replayer{{}, Role::kDevice};
  open(replayer);
  say(replayer, first);
  EXPECT_EQ(error_for(replayer), ErrorCode::kBadSignature);
  EXPECT_EQ(service().counters().bad_hellos, 2U);
  EXPECT_EQ(service().registry().boxes() + service().registry().devices(), 0U);
}

TEST_F(GreetingTest, AnotherKeyThanTheSignersIsRefused) {
  open(box);
  signalling::Hello hello = hello_of(box, server_key);
  const auto stranger = secure::make_identity();
  hello.public_key.assign(stranger.public_key().begin(), stranger.public_key().end());
  say(box, hello);
  EXPECT_EQ(error_for(box), ErrorCode::kBadSignature);
}

TEST_F(GreetingTest, AnythingButHelloFirstEndsIt) {
  open(box);
  say(box, signalling::PairingWindow{"ABCD", 600});
  EXPECT_EQ(error_for(box), ErrorCode::kBadMessage);
  EXPECT_THAT(closed, Contains(box.session));
  say(box, signalling::PairingWindow{"ABCD", 600});  // after the end: nothing
  EXPECT_FALSE(error_for(box));
}

TEST_F(GreetingTest, MalformedTextEndsItAndUnknownTypesDoNot) {
  join(box);
  perform(service().on_text(box.session, R"({"type":"news"})", now));
  EXPECT_THAT(closed, IsEmpty());
  perform(service().on_text(box.session, "{", now));
  EXPECT_EQ(error_for(box), ErrorCode::kBadMessage);
  EXPECT_THAT(closed, Contains(box.session));
  EXPECT_EQ(service().registry().boxes(), 0U);
}

TEST_F(GreetingTest, AGuestThatSaysNothingIsClosed) {
  open(box);
  EXPECT_EQ(service().next_deadline(), now + policy.hello_timeout);
  now += policy.hello_timeout;
  perform(service().on_deadline(now));
  EXPECT_THAT(closed, Contains(box.session));
  EXPECT_EQ(service().next_deadline(), kNever);
}

TEST_F(GreetingTest, ASecondBoxWithTheSameIdentityReplacesTheFirst) {
  join(box);
  Party twin{{}, Role::kBox, box.identity};
  join(twin);
  EXPECT_EQ(error_for(box), ErrorCode::kReplaced);
  EXPECT_THAT(closed, Contains(box.session));
  EXPECT_TRUE(heard<signalling::Welcome>(twin));
  service().on_closed(box.session, now);
  EXPECT_EQ(service().registry().boxes(), 1U);
}

TEST_F(GreetingTest, FloodsOfConnectionsFromOneSourceAreRefused) {
  policy.hellos = {3, 60s};
  Party clients[5] = {
      {{}, Role::kBox}, {{}, Role::kBox}, {{}, Role::kBox}, {{}, Role::kBox}, {{}, Role::kBox}};
  for (Party& client : clients) {
    open(client, "[2001:db8:0:1::1]:1");
  }
  EXPECT_EQ(error_for(clients[3]), ErrorCode::kRate);
  EXPECT_THAT(closed, testing::SizeIs(2));
  Party neighbour{{}, Role::kBox};
  open(neighbour, "[2001:db8:0:ff::1]:1");  // the same /56
  EXPECT_EQ(error_for(neighbour), ErrorCode::kRate);
  Party elsewhere{{}, Role::kBox};
  join(elsewhere, "[2001:db8:0:100::1]:1");
  EXPECT_TRUE(heard<signalling::Welcome>(elsewhere));
}

TEST_F(GreetingTest, FloodsOfMessagesEndTheSession) {
  policy.messages = {5, 60s};
  join(box);
  for (int i = 0; i < 5; ++i) {
    say(box, signalling::PairingWindow{"ABCD", 600});
  }
  EXPECT_EQ(error_for(box), ErrorCode::kRate);
  EXPECT_THAT(closed, Contains(box.session));
}

TEST_F(GreetingTest, AMappingIsToldOnFirstSightAndOnChange) {
  join(box);
  const auto welcome = heard<signalling::Welcome>(box);
  const std::string& user = welcome->presence.username;
  perform(service().on_presence(user, *Endpoint::parse("203.0.113.5:4755"), now));
  EXPECT_EQ(heard<signalling::Mapping>(box)->endpoint, *Endpoint::parse("203.0.113.5:4755"));
  perform(service().on_presence(user, *Endpoint::parse("203.0.113.5:4755"), now));
  EXPECT_FALSE(heard<signalling::Mapping>(box));
  perform(service().on_presence(user, *Endpoint::parse("198.51.100.7:1024"), now));
  EXPECT_EQ(heard<signalling::Mapping>(box)->endpoint, *Endpoint::parse("198.51.100.7:1024"));
  perform(service().on_presence("nobody", *Endpoint::parse("198.51.100.7:1024"), now));
  EXPECT_EQ(service().presence_password("nobody"), nullptr);
}

}  // namespace
}  // namespace hearthcast::rendezvous
