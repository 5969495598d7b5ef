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

TEST(RendezvousSettings, ARelayBehindTheSamePortReachesTheHub) {
  AppSettings s;
  ASSERT_TRUE(declare(s).read_text("[turn]\nbehind = \"127.0.0.1:5349\"\n", "test.toml"));
  EXPECT_EQ(hub_settings(s).relay, *Endpoint::parse("127.0.0.1:5349"));
  ASSERT_TRUE(declare(s).read_text("[turn]\nbehind = \"\"\n", "test.toml"));
  EXPECT_EQ(hub_settings(s).relay, std::nullopt);
  EXPECT_FALSE(declare(s).read_text("[turn]\nbehind = \"coturn\"\n", "test.toml"));
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
  EXPECT_THAT(failure(), testing::HasSubstr("cannot be read"));
  write("");
  EXPECT_THAT(failure(), testing::HasSubstr("cannot be read"));
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

TEST(RendezvousSettings, EveryLimitReachesTheHub) {
  AppSettings s;
  ASSERT_TRUE(declare(s).read_text(
      "[limits]\nconnections = 1\nconnections_per_source = 2\nconnects_per_minute = 3\nhellos_per_minute = "
      "4\n"
      "hello_timeout_s = 5\nboxes = 6\nnew_boxes_per_hour = 7\nintroductions_per_minute = 8\n"
      "box_load_per_minute = 9\npairings_per_minute = 10\nmessages_per_minute = 11\n",
      "test.toml"));
  const HubSettings hub = hub_settings(s);
  const Policy& policy = hub.policy;
  EXPECT_EQ(hub.connections, 1U);
  EXPECT_EQ(hub.connections_per_source, 2U);
  EXPECT_EQ(hub.connects.burst, 3);
  EXPECT_EQ(policy.hellos.burst, 4);
  EXPECT_EQ(policy.hello_timeout, std::chrono::seconds{5});
  EXPECT_EQ(policy.max_boxes, 6U);
  EXPECT_EQ(policy.new_boxes.burst, 7);
  EXPECT_EQ(policy.new_boxes.refill, std::chrono::hours{1});
  EXPECT_EQ(policy.introductions.burst, 8);
  EXPECT_EQ(policy.box_load.burst, 9);
  EXPECT_EQ(policy.pairings.burst, 10);
  EXPECT_EQ(policy.messages.burst, 11);
  for (const Rate& rate : {hub.connects, policy.hellos, policy.introductions, policy.box_load,
                           policy.pairings, policy.messages}) {
    EXPECT_EQ(rate.refill, std::chrono::minutes{1});
  }
}

TEST(RendezvousSettings, TheDefaultsAreThoseOfTheService) {
  const HubSettings from_file = hub_settings(AppSettings());
  const HubSettings plain;
  EXPECT_EQ(from_file.connections, plain.connections);
  EXPECT_EQ(from_file.connections_per_source, plain.connections_per_source);
  EXPECT_EQ(from_file.connects.burst, plain.connects.burst);
  EXPECT_EQ(from_file.policy.hellos.burst, plain.policy.hellos.burst);
  EXPECT_EQ(from_file.policy.hello_timeout, plain.policy.hello_timeout);
  EXPECT_EQ(from_file.policy.max_boxes, plain.policy.max_boxes);
  EXPECT_EQ(from_file.policy.new_boxes.burst, plain.policy.new_boxes.burst);
  EXPECT_EQ(from_file.policy.introductions.burst, plain.policy.introductions.burst);
  EXPECT_EQ(from_file.policy.box_load.burst, plain.policy.box_load.burst);
  EXPECT_EQ(from_file.policy.pairings.burst, plain.policy.pairings.burst);
  EXPECT_EQ(from_file.policy.messages.burst, plain.policy.messages.burst);
  EXPECT_EQ(from_file.policy.enrolment, Enrolment::kOpen);
  EXPECT_FALSE(from_file.health);
}

TEST(RendezvousSettings, ThePolicyOfEnrolmentIsOneOfThree) {
  const std::pair<const char*, Enrolment> policies[] = {
      {"open", Enrolment::kOpen}, {"token", Enrolment::kToken}, {"closed", Enrolment::kClosed}};
  for (const auto& [name, policy] : policies) {
    AppSettings s;
    const std::string text = std::string("[enrolment]\npolicy = '") + name + "'\ncontact = 'mail us'\n";
    ASSERT_TRUE(declare(s).read_text(text, "test.toml"));
    EXPECT_EQ(hub_settings(s).policy.enrolment, policy);
    EXPECT_EQ(hub_settings(s).policy.contact, "mail us");
  }
  AppSettings s;
  const auto wrong = declare(s).read_text("[enrolment]\npolicy = 'shut'\n", "test.toml");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text, testing::HasSubstr("\"token\""));
}

TEST(RendezvousSettings, HealthIsOnAnAddressOfItsOwnOrNowhere) {
  AppSettings s;
  ASSERT_TRUE(declare(s).read_text("[health]\nlisten = '127.0.0.1:8873'\n", "test.toml"));
  EXPECT_EQ(hub_settings(s).health, *Endpoint::parse("127.0.0.1:8873"));
  ASSERT_TRUE(declare(s).read_text("[health]\nlisten = ''\n", "test.toml"));
  EXPECT_FALSE(hub_settings(s).health);
  EXPECT_FALSE(declare(s).read_text("[health]\nlisten = '8873'\n", "test.toml"));
}

}  // namespace
}  // namespace hearthcast::rendezvous
