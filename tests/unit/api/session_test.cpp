#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using testing_browser::json;

class SessionTest : public testing::Test, protected testing_browser::Browser {};

TEST_F(SessionTest, FirstStartSetsThePasswordAndSignsIn) {
  EXPECT_TRUE(get("/status").body()["setup_needed"]);
  EXPECT_EQ(post("/session", {{"password", kPassword}}).code(), "setup_needed");
  const auto done = post("/setup", {{"setup_code", household->setup_code()}, {"password", kPassword}});
  EXPECT_EQ(done.status, 201);
  EXPECT_EQ(done.body()["signed_in"], true);
  EXPECT_FALSE(get("/status").body()["setup_needed"]);
  EXPECT_EQ(get("/devices").status, 200);
  EXPECT_EQ(get("/session").body()["expires_in_s"], 30 * 24 * 3600);
  EXPECT_EQ(post("/setup", {{"setup_code", ""}, {"password", kPassword}}).code(), "already_set_up");
}

TEST_F(SessionTest, SetUpNeedsTheCodeAndALongPassword) {
  EXPECT_EQ(post("/setup", {{"setup_code", "0000-0000"}, {"password", kPassword}}).code(),
            "wrong_setup_code");
  EXPECT_EQ(post("/setup", {{"password", kPassword}}).code(), "wrong_setup_code");
  EXPECT_EQ(post("/setup", {{"setup_code", household->setup_code()}, {"password", "short"}}).code(),
            "weak_password");
  EXPECT_EQ(post("/setup", {{"setup_code", household->setup_code()}}).code(), "weak_password");
  EXPECT_FALSE(household->is_set_up());
}

TEST_F(SessionTest, GuessingTheSetUpCodeIsThrottled) {
  int forbidden = 0;
  testing_browser::Answer last;
  for (int i = 0; i < 20; ++i) {
    last = post("/setup", {{"setup_code", "0000-0000"}, {"password", kPassword}});
    forbidden += last.status == 403 ? 1 : 0;
  }
  EXPECT_EQ(last.status, 429);
  EXPECT_LE(forbidden, 10);
  // The right code does not help him now, but the owner at another address is not shut out.
  EXPECT_EQ(post("/setup", {{"setup_code", household->setup_code()}, {"password", kPassword}}).status, 429);
  peer = *Endpoint::parse("192.0.2.51:1000");
  EXPECT_EQ(post("/setup", {{"setup_code", household->setup_code()}, {"password", kPassword}}).status, 201);
}

TEST_F(SessionTest, TheCodeIsReadOnTheBoxOnly) {
  EXPECT_EQ(get("/setup/code").status, 404);
  use_control_socket();
  EXPECT_EQ(get("/setup/code").body()["setup_code"], household->setup_code());
  ASSERT_TRUE(household->set_password(kPassword));
  EXPECT_EQ(get("/setup/code").code(), "already_set_up");
}

TEST_F(SessionTest, SignsInAndOut) {
  set_up();
  EXPECT_EQ(remove("/session").status, 204);
  EXPECT_EQ(get("/session").body()["signed_in"], false);
  EXPECT_EQ(get("/devices").status, 401);
  EXPECT_EQ(post("/session", {{"password", "wrong"}}).code(), "wrong_password");
  EXPECT_EQ(post("/session", json::object()).code(), "wrong_password");
  EXPECT_EQ(post("/session", {{"password", kPassword}}).status, 200);
  EXPECT_EQ(get("/session").body()["signed_in"], true);
  EXPECT_EQ(get("/devices").status, 200);
}

TEST_F(SessionTest, TenWrongPasswordsCloseTheDoorForThatAddress) {
  set_up();
  cookie.clear();
  int tried = 0;
  for (int i = 0; i < 200 && tried < 10; ++i, now += 5s) {
    tried += post("/session", {{"password", "wrong"}}).status == 401 ? 1 : 0;
  }
  EXPECT_EQ(tried, 10);
  const auto closed = post("/session", {{"password", kPassword}});
  EXPECT_EQ(closed.code(), "too_many_attempts");
  EXPECT_GT(closed.body()["retry_after_s"], 60);
  EXPECT_EQ(closed.headers.get("retry-after"), std::to_string(closed.body()["retry_after_s"].get<int>()));
  const Endpoint guesser = std::exchange(peer, *Endpoint::parse("192.0.2.51:1000"));
  EXPECT_EQ(post("/session", {{"password", kPassword}}).status, 200);
  peer = guesser;
  now += 15min;
  EXPECT_EQ(post("/session", {{"password", kPassword}}).status, 200);
}

TEST_F(SessionTest, ChangingThePasswordEndsEveryOtherSession) {
  set_up();
  const std::string first = cookie;
  (void)post("/session", {{"password", kPassword}});
  EXPECT_EQ(put("/password", {{"current_password", "wrong"}, {"new_password", "a new password"}}).code(),
            "wrong_password");
  EXPECT_EQ(put("/password", {{"new_password", "a new password"}}).code(), "wrong_password");
  EXPECT_EQ(put("/password", {{"current_password", kPassword}, {"new_password", "short"}}).code(),
            "weak_password");
  EXPECT_EQ(put("/password", {{"current_password", kPassword}, {"new_password", "a new password"}}).status,
            204);
  EXPECT_EQ(get("/devices").status, 200);
  cookie = first;
  EXPECT_EQ(get("/devices").status, 401);
  EXPECT_EQ(post("/session", {{"password", "a new password"}}).status, 200);
}

TEST_F(SessionTest, AForgottenPasswordIsReplacedOnTheBox) {
  set_up();
  use_control_socket();
  EXPECT_EQ(put("/password", {{"new_password", "a new password"}}).status, 204);
  EXPECT_TRUE(household->is_password("a new password"));
}

// What the next run would take for its sessions.
TEST_F(SessionTest, EachChangeOfSessionsIsRemembered) {
  EXPECT_TRUE(household->logins().empty());
  set_up();
  EXPECT_EQ(household->logins().size(), 1U);
  transport = http::Transport::kHttp;
  (void)post("/session", {{"password", kPassword}});
  EXPECT_EQ(household->logins().size(), 2U);
  const std::string of_http = cookie;
  now += 59min;
  (void)get("/session");
  EXPECT_EQ(household->logins().at(0).idle, 0s) << "not at every look";
  now += 1min;
  (void)get("/session");
  const auto aged = household->logins();
  EXPECT_EQ(std::max(aged.at(0).idle, aged.at(1).idle), 1h);
  EXPECT_EQ(std::min(aged.at(0).idle, aged.at(1).idle), 0s);
  (void)put("/password", {{"current_password", kPassword}, {"new_password", "a new password"}});
  EXPECT_EQ(household->logins().size(), 1U);
  EXPECT_FALSE(household->logins().at(0).https);
  (void)remove("/session");
  EXPECT_TRUE(household->logins().empty());
}

TEST_F(SessionTest, AFullDiskStopsNobodyFromSigningIn) {
  set_up();
  fill_disk();
  cookie.clear();
  EXPECT_EQ(post("/session", {{"password", kPassword}}).status, 200);
  EXPECT_EQ(get("/devices").status, 200);
  free_disk();
}

TEST_F(SessionTest, ASessionOfPlainHttpIsNoneOverHttps) {
  transport = http::Transport::kHttp;
  set_up();
  EXPECT_EQ(get("/devices").status, 200);
  transport = http::Transport::kHttps;
  EXPECT_EQ(get("/devices").status, 401);
}

TEST_F(SessionTest, StatusTellsStrangersLittle) {
  set_up();
  live.rendezvous = {RendezvousLive::State::kConnected, "wss://r.example/v1", "Connected."};
  live.upstream = {UpstreamLive::State::kUp, "eth0", "Television comes in on eth0."};
  now += 65s;
  const json full = get("/status").body();
  EXPECT_EQ(full["rendezvous"]["state"], "connected");
  EXPECT_EQ(full["upstream"]["interface"], "eth0");
  EXPECT_EQ(full["uptime_s"], 65);
  cookie.clear();
  const json little = get("/status").body();
  EXPECT_EQ(little.size(), 3U);
  EXPECT_EQ(little["name"], "Home");
  EXPECT_EQ(little["version"], HEARTHCAST_VERSION);
}

}  // namespace
}  // namespace hearthcast::api
