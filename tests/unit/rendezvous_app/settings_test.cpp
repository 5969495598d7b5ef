#include "rendezvous-server/app/settings.hpp"

#include <gmock/gmock.h>

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
