#include "appliance/app/peer_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "appliance/app/box_settings.hpp"
#include "tunnelmgr/runtime/settings.hpp"

namespace hearthcast::app {
namespace {

using testing::HasSubstr;
using tunnel::Carrier;
using tunnel::Form;

// One peer with these lines beside the needful ones.
std::string toml(const std::string& lines, const std::string& name = "cabin") {
  return "[[peer]]\nname = \"" + name + "\"\nseal = \"none\"\n" + lines + "\n";
}
std::string error(const std::string& text) {
  BoxSettings settings;
  const auto read = declare(settings).read_text(text, "box.toml");
  return read ? check_together(settings.peers) : read.error().text;
}
PeerPlan planned(const std::string& lines) {
  BoxSettings settings;
  const auto read = declare(settings).read_text(toml(lines), "box.toml");
  EXPECT_TRUE(read) << read.error().text;
  return read ? plan(settings.peers.at(0)).value() : PeerPlan();
}

const std::string kGre = "encapsulation = \"gre-udp\"\nendpoint = \"192.0.2.7\"\n";
const std::string kAyiya =
    "encapsulation = \"ayiya\"\nlocal_address = \"2001:db8::1\"\npeer_address = \"2001:db8::2\"\n"
    "secret_file = \"/etc/hearthcast/cabin\"\n";

TEST(PeerSettings, ThereIsNoneUntilTheOwnerWritesOne) {
  EXPECT_TRUE(BoxSettings().peers.empty());
  EXPECT_EQ(error("name = \"Home\""), "");
}

TEST(PeerSettings, WantToReadThatItIsNotSealed) {
  const std::string without = "[[peer]]\nname = \"cabin\"\n" + kGre;
  EXPECT_THAT(error(without), HasSubstr("write seal = \"none\""));
  EXPECT_THAT(error(without + "seal = \"dtls\"\n"), HasSubstr("hearthcast-away"));
  EXPECT_EQ(error(toml(kGre)), "");
}

TEST(PeerSettings, KnowEveryEncapsulation) {
  struct Case {
    const char* name;
    Form form;
    Carrier carrier;
    PeerPort port;
    const char* endpoint;
  };
  for (const Case& each :
       {Case{"gre", Form::kGre, Carrier::kIp, {0, 47, Family::kIp4}, "192.0.2.7:0"},
        Case{"gre-udp", Form::kGre, Carrier::kUdp, {4754, 0, Family::kIp4}, "192.0.2.7:4754"},
        Case{"gre-gue", Form::kGre, Carrier::kGue, {6080, 0, Family::kIp4}, "192.0.2.7:6080"},
        Case{"6in4", Form::kSixInFour, Carrier::kIp, {0, 41, Family::kIp4}, "192.0.2.7:0"},
        Case{"6in4-udp", Form::kSixInFour, Carrier::kUdp, {3653, 0, Family::kIp4}, "192.0.2.7:3653"},
        Case{"6in4-gue", Form::kSixInFour, Carrier::kGue, {6080, 0, Family::kIp4}, "192.0.2.7:6080"}}) {
    const auto made =
        planned("encapsulation = \"" + std::string(each.name) + "\"\nendpoint = \"192.0.2.7\"\n");
    EXPECT_EQ(made.machine.encapsulation.form, each.form) << each.name;
    EXPECT_EQ(made.machine.encapsulation.carrier, each.carrier) << each.name;
    EXPECT_EQ(made.port, each.port) << each.name;
    EXPECT_EQ(made.machine.endpoint->to_string(), each.endpoint) << each.name;
    EXPECT_FALSE(made.grants.all) << "no channel unless the owner says so";
    EXPECT_TRUE(made.grants.channels.empty());
  }
  EXPECT_THAT(error(toml("encapsulation = \"vxlan\"\nendpoint = \"192.0.2.7\"")), HasSubstr("vxlan"));
}

TEST(PeerSettings, TakeGreAsBothEndsWereTold) {
  const auto made = planned(kGre + "key = \"4294967295\"\nsequence = true\nchecksum = true\nport = 5000\n");
  EXPECT_EQ(made.machine.encapsulation.gre.key, 4294967295U);
  EXPECT_TRUE(made.machine.encapsulation.gre.sequence && made.machine.encapsulation.gre.checksum);
  EXPECT_EQ(made.port.udp, 5000);
  EXPECT_THAT(error(toml(kGre + "key = \"4294967296\"")), HasSubstr("key"));
  EXPECT_EQ(planned("encapsulation = \"gre\"\nendpoint = \"2001:db8::7\"").port,
            (PeerPort{0, 47, Family::kIp6}));
}

TEST(PeerSettings, TakeAyiyaInBothProfiles) {
  const auto hardened = planned(kAyiya);
  EXPECT_FALSE(hardened.machine.endpoint) << "learnt";
  EXPECT_EQ(hardened.port.udp, 5072);
  EXPECT_EQ(hardened.machine.encapsulation.ayiya.hash, wire::AyiyaHash::kHmacSha256);
  EXPECT_EQ(hardened.machine.encapsulation.ayiya.window, std::chrono::seconds{60});
  EXPECT_EQ(hardened.machine.encapsulation.ayiya.remote.to_string(), "2001:db8::2");
  std::string old = kAyiya;
  old.replace(old.find("\"ayiya\""), 7, "\"ayiya-sha1\"");
  EXPECT_EQ(planned(old).machine.encapsulation.ayiya.hash, wire::AyiyaHash::kSha1);
  EXPECT_EQ(planned(old).machine.encapsulation.ayiya.window, std::chrono::seconds{120});
}

TEST(PeerSettings, TakeHeartbeats) {
  const auto made = planned(
      "encapsulation = \"6in4\"\nheartbeat = true\npeer_address = \"2001:db8::2\"\nsecret_file = \"/x\"\n");
  EXPECT_FALSE(made.machine.endpoint);
  ASSERT_TRUE(made.machine.heartbeat);
  EXPECT_EQ(made.machine.heartbeat->tunnel.to_string(), "2001:db8::2");
  EXPECT_EQ(made.port, (PeerPort{0, 41, Family::kIp4}));
}

TEST(PeerSettings, TakeGrants) {
  EXPECT_TRUE(planned(kGre + "channels = [\"all\"]").grants.all);
  EXPECT_EQ(planned(kGre + "channels = [\"3\", \"5\"]").grants.channels,
            (std::set<ChannelId>{ChannelId{3}, ChannelId{5}}));
  EXPECT_THAT(error(toml(kGre + "channels = [\"News\"]")), HasSubstr("channels"));
  EXPECT_THAT(error(toml(kGre + "channels = [\"0\"]")), HasSubstr("channels"));
}

TEST(PeerSettings, RefuseWhatDoesNotFitTogether) {
  const std::pair<std::string, const char*> wrong[] = {
      {"encapsulation = \"6in4\"\nendpoint = \"192.0.2.7\"\nkey = \"1\"", "belong to GRE"},
      {"encapsulation = \"6in4\"\nendpoint = \"192.0.2.7\"\nport = 4", "port belongs"},
      {"encapsulation = \"6in4\"\nendpoint = \"192.0.2.7:5\"", "has a port"},
      {"encapsulation = \"6in4\"\nendpoint = \"2001:db8::1\"", "IPv4 endpoint"},
      {"encapsulation = \"6in4\"", "needs an endpoint"},
      {"encapsulation = \"gre-udp\"", "needs an endpoint"},
      {"encapsulation = \"gre-udp\"\nendpoint = \"239.1.1.1\"", "one machine"},
      {"encapsulation = \"gre-udp\"\nendpoint = \"0.0.0.0\"", "one machine"},
      {"encapsulation = \"gre-udp\"\nendpoint = \"cabin.example\"", "not understood"},
      {kGre + "heartbeat = true\nsecret_file = \"/x\"", "heartbeat belongs"},
      {kGre + "secret_file = \"/x\"", "secret_file belongs"},
      {"encapsulation = \"ayiya\"\nlocal_address = \"2001:db8::1\"\npeer_address = \"2001:db8::2\"",
       "needs secret_file"},
      {"encapsulation = \"ayiya\"\nsecret_file = \"/x\"\nlocal_address = \"2001:db8::1\"", "peer_address"},
      {"encapsulation = \"ayiya\"\nsecret_file = \"/x\"\npeer_address = \"2001:db8::1\"", "local_address"},
      {"encapsulation = \"ayiya\"\nsecret_file = \"/x\"\nlocal_address = \"2001:db8::1\"\npeer_address = "
       "\"2001:db9::1\"",
       "last 64 bits"},
      {"encapsulation = \"6in4\"\nheartbeat = true\nsecret_file = \"/x\"", "peer_address"},
  };
  for (const auto& [lines, word] : wrong) {
    EXPECT_THAT(error(toml(lines)), HasSubstr(word)) << lines;
  }
  EXPECT_THAT(error(toml(kGre, "")), HasSubstr("name"));
}

TEST(PeerSettings, RefusePeersThatCannotBeToldApart) {
  const auto both = [](const std::string& one, const std::string& other, const std::string& name = "shed") {
    return error(toml(one) + toml(other, name));
  };
  EXPECT_THAT(both(kGre, kGre), HasSubstr("at one address"));
  EXPECT_EQ(both(kGre, kGre + "port = 5000"), "");
  EXPECT_EQ(both(kGre, "encapsulation = \"gre-udp\"\nendpoint = \"192.0.2.8\""), "");
  EXPECT_THAT(both(kGre, kGre + "port = 5000", "cabin"), HasSubstr("two peers are called"));
  EXPECT_THAT(both(kGre, "encapsulation = \"6in4-udp\"\nendpoint = \"192.0.2.8\"\nport = 4754"),
              HasSubstr("different encapsulations"));
  EXPECT_THAT(both(kAyiya, kAyiya), HasSubstr("one peer_address"));
}

TEST(PeerEndpoint, IsAnAddressOrIsDerivedFromOne) {
  EXPECT_EQ(parse_peer_endpoint("192.0.2.7"), (Endpoint{*IpAddress::parse("192.0.2.7"), 0}));
  EXPECT_EQ(parse_peer_endpoint("192.0.2.7:4754"), (Endpoint{*IpAddress::parse("192.0.2.7"), 4754}));
  EXPECT_EQ(parse_peer_endpoint("2001:db8::7"), (Endpoint{*IpAddress::parse("2001:db8::7"), 0}));
  EXPECT_EQ(parse_peer_endpoint("[2001:db8::7]:4754"), (Endpoint{*IpAddress::parse("2001:db8::7"), 4754}));
  EXPECT_EQ(parse_peer_endpoint("6to4:2002:c000:207::1"), (Endpoint{*IpAddress::parse("192.0.2.7"), 0}));
  EXPECT_EQ(parse_peer_endpoint("6rd:2001:db8::/32,10.0.0.0/8,2001:db8:102:300::1"),
            (Endpoint{*IpAddress::parse("10.1.2.3"), 0}));
  for (const char* wrong :
       {"", "cabin", "192.0.2.7:", "6to4:2001:db8::1", "6to4:2002:a00:1::1", "6rd:2001:db8::/32",
        "6rd:2001:db8::/32,10.0.0.0/8,2001:db9::1", "6rd:10.0.0.0/8,2001:db8::/32,2001:db8::1"}) {
    EXPECT_FALSE(parse_peer_endpoint(wrong)) << wrong;
  }
}

struct SecretTest : testing::Test {
  std::string write(const std::string& text, mode_t mode = 0600) const {
    std::string path = testing::TempDir() + "peer-secret";
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
};

TEST_F(SecretTest, IsOneLineInAFile) {
  PeerPlan made = planned(kAyiya);
  ASSERT_TRUE(read_secret(made, write(std::string(64, 'a') + "\n")));
  EXPECT_EQ(made.machine.encapsulation.ayiya.secret, Buffer(32, 0xAA));
  EXPECT_THAT(read_secret(made, write("short\n")).error().text, HasSubstr("openssl rand -hex 32"));
  EXPECT_THAT(read_secret(made, write("")).error().text, HasSubstr("one line"));
  EXPECT_THAT(read_secret(made, "/nonexistent/secret").error().text, HasSubstr("cannot be read"));
  EXPECT_THAT(read_secret(made, write(std::string(64, 'a') + "\n", 0644)).error().text,
              HasSubstr("chmod 640"));
  made.machine.encapsulation.ayiya.hash = wire::AyiyaHash::kSha1;
  ASSERT_TRUE(read_secret(made, write("pass word\n")));
  EXPECT_EQ(as_text(made.machine.encapsulation.ayiya.secret), "pass word");
  made.machine.heartbeat.emplace();
  ASSERT_TRUE(read_secret(made, write("other\n")));
  EXPECT_EQ(made.machine.heartbeat->password, "other");
}

}  // namespace
}  // namespace hearthcast::app
