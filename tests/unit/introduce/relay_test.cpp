// Credentials for relays: their form, and when a client is told them.
#include <gmock/gmock.h>

#include "tests/unit/introduce/service_fixture.hpp"

namespace hearthcast::rendezvous {
namespace {

using signalling::RelayAccess;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kSomeNoon = 1'800'014'400;  // a multiple of six hours

struct RelayTest : ServiceTest {
  RelayTest() {
    policy.relay.urls = {"turn:relay.example.org:3479"};
    policy.relay.secret = "north";
    policy.unix_time = [this] { return unix_time; };
  }
  std::int64_t unix_time = kSomeNoon;
};

TEST_F(RelayTest, TheFormIsCoturns) {
  IdentityId client;
  client.digest.fill(0xab);
  const RelayAccess access = relay_access(crypto, policy.relay, client, unix_time);
  EXPECT_EQ(access.username, std::to_string(kSomeNoon + 172800) + ":abababababababab");
  // openssl dgst -sha1 -hmac north -binary | base64
  EXPECT_EQ(access.password, "Hk7eM9BsIzgmLfyzNsuoKeej62k=");
  EXPECT_EQ(access.lifetime_s, 172800U);
  EXPECT_EQ(access.urls, policy.relay.urls);
}

TEST_F(RelayTest, AllOfSixHoursEndTogetherAndNoneTooEarly) {
  const RelayAccess first = relay_access(crypto, policy.relay, {}, unix_time);
  for (std::int64_t second = 1; second <= std::int64_t{6} * 3600; second += 599) {
    unix_time = kSomeNoon + second;
    const RelayAccess later = relay_access(crypto, policy.relay, {}, unix_time);
    EXPECT_GE(later.lifetime_s, 172800U);
    EXPECT_LT(later.lifetime_s, 172800U + 6 * 3600);
    EXPECT_EQ(std::stoll(later.username), unix_time + later.lifetime_s);
    EXPECT_NE(later.username, first.username) << "noon itself is the end of the six hours before";
  }
}

TEST_F(RelayTest, EachClientHasItsOwn) {
  join(box);
  join(device);
  const auto at_box = heard<RelayAccess>(box);
  const auto at_device = heard<RelayAccess>(device);
  ASSERT_TRUE(at_box && at_device);
  EXPECT_NE(at_box->username, at_device->username);
  EXPECT_NE(at_box->password, at_device->password);
  EXPECT_THAT(at_device->username, HasSubstr(device.identity.id().to_string().substr(0, 16)));
}

TEST_F(RelayTest, AreGivenAnewLongBeforeTheyEnd) {
  join(device);
  std::int64_t end = std::stoll(heard<RelayAccess>(device)->username);
  for (int renewal = 0; renewal < 60; ++renewal) {  // a month
    const Time due = service().next_deadline();
    unix_time += std::chrono::duration_cast<std::chrono::seconds>(due - now).count();
    now = due;
    EXPECT_GT(end - unix_time, 24 * 3600) << "a rendezvous that dies now may be away for a day";
    perform(service().on_deadline(now));
    const auto access = heard<RelayAccess>(device);
    ASSERT_TRUE(access);
    end = std::stoll(access->username);
  }
}

TEST_F(RelayTest, WhoHasLeftIsNotTold) {
  join(device);
  service().on_closed(device.session, now);
  EXPECT_EQ(service().next_deadline(), kNever) << "nothing of it is kept";
}

TEST_F(RelayTest, WhoComesAgainAndAgainIsKeptOnce) {
  for (int times = 0; times < 3; ++times) {
    join(device);
    now += 1min;
  }
  inbox.clear();
  now = service().next_deadline();
  perform(service().on_deadline(now));
  EXPECT_TRUE(heard<RelayAccess>(device));
  now += policy.relay.lifetime / 4 - 1s;
  EXPECT_GT(service().next_deadline(), now) << "not once more for each time that it came";
}

TEST_F(RelayTest, WhoIsNotGreetedGetsNone) {
  open(device);
  say(device, hello_of(device, Sha256{}));  // signed for another server
  EXPECT_FALSE(heard<RelayAccess>(device));
}

TEST_F(RelayTest, WithoutRelaysNothingIsSaid) {
  policy.relay.urls.clear();
  join(device);
  EXPECT_TRUE(heard<signalling::Welcome>(device));
  EXPECT_FALSE(heard<RelayAccess>(device));
  EXPECT_EQ(service().next_deadline(), kNever);
}

TEST_F(RelayTest, ClientsCannotSayIt) {
  join(device);
  say(device, RelayAccess{{"turn:elsewhere"}, "u", "p", 1});
  EXPECT_EQ(error_for(device), signalling::ErrorCode::kBadMessage);
}

TEST_F(RelayTest, TheSecretIsInNoMessage) {
  policy.relay.secret = "a secret of the relay";
  join(device);
  for (const auto& message : inbox[device.session]) {
    EXPECT_THAT(signalling::encode(message), Not(HasSubstr("a secret")));
  }
}

}  // namespace
}  // namespace hearthcast::rendezvous
