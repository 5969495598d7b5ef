#include "appliance/app/box_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::app {
namespace {

using testing::HasSubstr;

std::string error(const std::string& toml) {
  BoxSettings settings;
  const auto read = declare(settings).read_text(toml, "box.toml");
  return read ? "" : read.error().text;
}

TEST(BoxSettings, TheSampleHoldsTheDefaults) {
  BoxSettings settings;
  const std::string sample = declare(settings).sample();
  EXPECT_EQ(error(sample), "");
  EXPECT_THAT(sample, HasSubstr("[::]:8871"));
  EXPECT_THAT(sample, HasSubstr("4755"));
}

TEST(BoxSettings, AreReadWhole) {
  BoxSettings s;
  ASSERT_TRUE(
      declare(s).read_text("name = \"Cabin\"\n[network]\ntunnel_port = 5000\nupstream_interface = \"eth1\"\n"
                           "[https]\nlisten = \"127.0.0.1:1\"\n[http]\non = false\n",
                           "box.toml"));
  EXPECT_EQ(s.name, "Cabin");
  EXPECT_EQ(s.tunnel_port, 5000);
  EXPECT_EQ(s.relay, signalling::RelayPolicy::kAuto);
  ASSERT_TRUE(declare(s).read_text("[network]\nrelay = \"never\"\n", "box.toml"));
  EXPECT_EQ(s.relay, signalling::RelayPolicy::kNever);
  EXPECT_TRUE(s.web_in_tunnel);
  ASSERT_TRUE(declare(s).read_text("[network]\nweb_in_tunnel = false\n", "box.toml"));
  EXPECT_FALSE(s.web_in_tunnel);
  EXPECT_EQ(s.upstream_interface, "eth1");
  EXPECT_EQ(s.https_listen, *Endpoint::parse("127.0.0.1:1"));
  EXPECT_FALSE(s.http_on);
}

TEST(BoxSettings, ErrorsNameWhatIsWrong) {
  EXPECT_THAT(error("nmae = \"x\""), testing::AllOf(HasSubstr("box.toml"), HasSubstr("nmae")));
  EXPECT_THAT(error("[network]\ntunnel_port = 0"), HasSubstr("tunnel_port"));
  EXPECT_THAT(error("[network]\ntunnel_port = \"4755\""), HasSubstr("a number from 1 to 65535"));
  EXPECT_THAT(error("[https]\nlisten = \"8871\""), HasSubstr("https.listen"));
  EXPECT_THAT(error("name = "), HasSubstr("box.toml"));
}

TEST(BoxSettings, ARendezvousIsOptionalAndChecked) {
  BoxSettings s;
  EXPECT_FALSE(s.rendezvous()->has_value());
  s.rendezvous_url = "wss://r.example/v1";
  ASSERT_TRUE(s.rendezvous()->has_value());
  EXPECT_FALSE((*s.rendezvous())->pin.has_value());
  s.rendezvous_pin = std::string(64, 'a');
  EXPECT_TRUE((*s.rendezvous())->pin.has_value());
  s.rendezvous_pin = "nonsense";
  ASSERT_FALSE(s.rendezvous());
  EXPECT_THAT(s.rendezvous().error().text, HasSubstr("rendezvous.pin"));
  s = {};
  s.rendezvous_url = "http://r.example";
  EXPECT_FALSE(s.rendezvous());
}

TEST(BoxSettings, ANameThatNoDeviceWouldTakeIsRefusedAtOnce) {
  for (const std::string& bad :
       {std::string(), std::string(65, 'x'), std::string("a\\nb"), std::string("a\\u0085b")}) {
    EXPECT_THAT(error("name = \"" + bad + "\""), HasSubstr("1 to 64 characters")) << bad;
  }
  EXPECT_EQ(error("name = \"Ferienhaus am M\u00fcggelsee\""), "");
  EXPECT_EQ(error("name = \"" + std::string(64, 'x') + "\""), "");
}

TEST(BoxSettings, EachKeyRefusesWhatIsNotItsKind) {
  const struct {
    const char* key;
    std::vector<const char*> bad;
  } cases[] = {
      {"state_dir", {"1", "\"relative\"", "true"}},
      {"control_socket", {"\"box.sock\"", "[]"}},
      {"run_as", {"0", "{}"}},
      {"network.dscp", {"-1", "64", "\"AF41\"", "true"}},
      {"network.relay", {"\"\"", "\"yes\"", "\"Never\"", "true", "1"}},
      {"network.tunnel_port", {"0", "-1", "65536", "4755.5", "\"4755\"", "true"}},
      {"network.upstream_interface", {"2", "[\"eth0\"]"}},
      {"https.listen", {"8871", "\"box:8871\"", "\"[::]\"", "\"1.2.3.4:99999\""}},
      {"http.on", {"1", "\"yes\"", "\"true\""}},
      {"http.names", {"[\"a\"]", "1"}},
      {"rendezvous.url", {"1"}},
      {"log.level", {"\"trace\"", "1", "\"\""}},
  };
  for (const auto& c : cases) {
    for (const char* value : c.bad) {
      const std::string problem = error(std::string(c.key) + " = " + value);
      EXPECT_THAT(problem, HasSubstr(std::string("box.toml:1: ") + c.key)) << value;
      EXPECT_THAT(problem, HasSubstr("it takes")) << c.key << " = " << value;
    }
  }
}

}  // namespace
}  // namespace hearthcast::app
