#include "rendezvous-server/app/settings.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "rendezvous-server/app/run.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::rendezvous {
namespace {

TEST(RendezvousSettings, ReachTheHub) {
  AppSettings s;
  ASSERT_TRUE(
      declare(s).read_text("state_dir = \"/tmp/x\"\n[listen]\nwss = \"0.0.0.0:8443\"\nudp_port = 3479\n"
                           "[limits]\nboxes = 7\n",
                           "test.toml"));
  const HubSettings hub = hub_settings(s);
  EXPECT_EQ(hub.listen, *Endpoint::parse("0.0.0.0:8443"));
  EXPECT_EQ(hub.presence, *Endpoint::parse("0.0.0.0:3479"));
  EXPECT_EQ(hub.database, "/tmp/x/rendezvous.db");
  EXPECT_EQ(hub.policy.max_boxes, 7U);
}

TEST(RendezvousSettings, RelaysReachTheHub) {
  AppSettings s;
  ASSERT_TRUE(
      declare(s).read_text("[turn]\nurls = [\"turn:relay.example.org:3479\", \"turns:192.0.2.1:443\"]\n"
                           "lifetime_h = 30\n",
                           "test.toml"));
  const HubSettings hub = hub_settings(s);
  EXPECT_THAT(hub.policy.relay.urls,
              testing::ElementsAre("turn:relay.example.org:3479", "turns:192.0.2.1:443"));
  EXPECT_EQ(hub.policy.relay.lifetime, std::chrono::hours{30});
  EXPECT_TRUE(hub.policy.relay.secret.empty()) << "it comes from the file";
  EXPECT_FALSE(declare(s).read_text("[turn]\nlifetime_h = 24\n", "test.toml")) << "no more than a day";
  EXPECT_FALSE(declare(s).read_text("[turn]\nurls = [\"http://relay\"]\n", "test.toml"));
}

struct TurnSecret : testing::Test {
  TurnSecret() {
    s.turn_urls = {"turn:relay.example.org"};
    s.turn_secret_file = testing::TempDir() + "hearthcast-turn-secret";
    std::filesystem::remove(s.turn_secret_file);
  }
  ~TurnSecret() override { std::filesystem::remove(s.turn_secret_file); }
  void write(const std::string& text, mode_t mode = 0600) {
    std::ofstream(s.turn_secret_file) << text;
    ASSERT_EQ(::chmod(s.turn_secret_file.c_str(), mode), 0);
  }
  [[nodiscard]] std::string failure() const {
    const auto secret = read_turn_secret(s);
    return secret ? "" : secret.error().text;
  }
  AppSettings s;
};

TEST_F(TurnSecret, IsTheFirstLineOfItsFile) {
  write("0123456789abcdef\nand a remark\n");
  const auto secret = read_turn_secret(s);
  ASSERT_TRUE(secret) << secret.error().text;
  EXPECT_EQ(*secret, "0123456789abcdef");
}

TEST_F(TurnSecret, IsNotLookedForWithoutRelays) {
  s.turn_urls.clear();
  ASSERT_TRUE(read_turn_secret(s));
  EXPECT_TRUE(read_turn_secret(s)->empty());
}

TEST_F(TurnSecret, WhatIsWrongWithItIsTold) {
  EXPECT_THAT(failure(), testing::HasSubstr("cannot read"));
  write("");
  EXPECT_THAT(failure(), testing::HasSubstr("cannot read"));
  write("0123456789abcdef\n", 0644);
  EXPECT_THAT(failure(), testing::HasSubstr("open to everybody"));
  write("0123456789abcde\n");
  EXPECT_THAT(failure(), testing::HasSubstr("too short"));
  EXPECT_THAT(failure(), testing::Not(testing::HasSubstr("0123456789")));
  s.turn_secret_file.clear();
  EXPECT_THAT(failure(), testing::HasSubstr("turn.secret_file"));
}

TEST(RendezvousSettings, WrongOnesAreNamed) {
  AppSettings s;
  const auto unknown = declare(s).read_text("[listen]\nport = 1\n", "test.toml");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().text, testing::HasSubstr("listen.port"));
  EXPECT_FALSE(declare(s).read_text("[listen]\nudp_port = 70000\n", "test.toml"));
}

TEST(RendezvousCommands, SayThatNothingIsRunning) {
  AppSettings s;
  s.control_socket = "/nonexistent/control.sock";
  EXPECT_EQ(print_pin(s), runtime::kNotRunning);
  EXPECT_EQ(print_status(s, true), runtime::kNotRunning);
}

TEST(RendezvousRun, HalfATlsConfigurationIsAFailure) {
  AppSettings s;
  s.certificate = "/nonexistent.pem";
  EXPECT_EQ(run(s), runtime::kFailed);
}

}  // namespace
}  // namespace hearthcast::rendezvous
