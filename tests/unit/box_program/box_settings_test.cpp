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

}  // namespace
}  // namespace hearthcast::app
