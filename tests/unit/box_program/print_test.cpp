#include "appliance/app/print.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hearthcast::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(Print, StatusSaysWhatToDoFirst) {
  const std::string text = print_status({{"name", "Home"},
                                         {"version", "1"},
                                         {"setup_needed", true},
                                         {"uptime_s", 5},
                                         {"rendezvous", {{"state", "off"}, {"text", "No rendezvous."}}}});
  EXPECT_THAT(text, HasSubstr("Home (hearthcast-box 1), running for 5 s\n"));
  EXPECT_THAT(text, HasSubstr("hearthcast-box setup-code"));
  EXPECT_THAT(text, HasSubstr("rendezvous   No rendezvous.\n"));
}

TEST(Print, ThePortAtTheRouterIsShownWhenItIsAskedFor) {
  const auto shown = [](const char* state) {
    return print_status({{"name", "Home"}, {"port_mapping", {{"state", state}, {"text", "Port 4755."}}}});
  };
  EXPECT_THAT(shown("mapped"), HasSubstr("port mapping Port 4755.\n"));
  EXPECT_THAT(shown("failed"), HasSubstr("port mapping Port 4755.\n"));
  EXPECT_THAT(shown("off"), testing::Not(HasSubstr("port mapping")));
}

TEST(Print, TheInterfaceInsideTheTunnelsIsShownWhenItIsUsedOrFails) {
  const auto shown = [](const char* state) {
    return print_status(
        {{"name", "Home"}, {"tunnel_interface", {{"state", state}, {"text", "One device."}}}});
  };
  EXPECT_THAT(shown("up"), HasSubstr("in tunnels   One device.\n"));
  EXPECT_THAT(shown("failed"), HasSubstr("in tunnels   One device.\n"));
  EXPECT_THAT(shown("idle"), testing::Not(HasSubstr("in tunnels")));
  EXPECT_THAT(shown("off"), testing::Not(HasSubstr("in tunnels")));
}

TEST(Print, ADevicesHostsAtHomeAreShown) {
  EXPECT_THAT(print_device({{"id", 3}, {"home_hosts", {"192.168.1.50:80", "fd00::5"}}}),
              HasSubstr("; at home 192.168.1.50:80, fd00::5\n"));
  EXPECT_THAT(print_device({{"id", 3}, {"home_hosts", json::array()}}), testing::Not(HasSubstr("at home")));
}

TEST(Print, ChannelsWithAddressAndState) {
  const json live = {{"state", "live"}, {"bitrate_bps", 8'250'000}, {"viewers", 2}};
  const json six = {{"source", "2001:db8::1"}, {"group", "ff3e::1"}, {"port", 5002}};
  const json four = {{"group", "239.1.1.1"}, {"port", 5000}};
  const std::string text =
      print_channels({{"channels",
                       {{{"id", 1}, {"name", "Один"}, {"flow", four}, {"live", live}},
                        {{"id", 2}, {"name", "Film"}, {"flow", six}, {"live", {{"state", "idle"}}}}}}});
  EXPECT_EQ(text,
            "1     Один                            239.1.1.1:5000                            live, 8.2 "
            "Mbit/s, 2 watching\n"
            "2     Film                            [2001:db8::1]@[ff3e::1]:5002              idle\n");
  EXPECT_THAT(print_channels({{"channels", json::array()}}), HasSubstr("hearthcast-box import"));
}

TEST(Print, ImportShowsOnlyWhatFailed) {
  const std::string text = print_import({{"added", 1},
                                         {"updated", 0},
                                         {"unchanged", 0},
                                         {"failed", 1},
                                         {"lines",
                                          {{{"line", 2}, {"result", "added"}, {"text", "239.1.1.1:5000"}},
                                           {{"line", 3}, {"result", "failed"}, {"text", "is no address"}}}}});
  EXPECT_EQ(text, "line 3: is no address\n1 added, 0 updated, 0 unchanged, 1 failed\n");
}

TEST(Print, DevicesWithGrantsAndWhereabouts) {
  EXPECT_EQ(print_device({{"id", 3},
                          {"name", "laptop"},
                          {"fingerprint", "7KQ4"},
                          {"state", "approved"},
                          {"channels", "all"},
                          {"connected", true},
                          {"path", "direct"},
                          {"address", "192.0.2.1:5"}}),
            "3     laptop                  7KQ4  approved  all channels; connected direct 192.0.2.1:5\n");
  EXPECT_THAT(print_device({{"id", 3},
                            {"channels", "all"},
                            {"connected", true},
                            {"path", "direct"},
                            {"address", "192.0.2.1:5"},
                            {"path_mtu", 1280},
                            {"form", "fragments"}}),
              HasSubstr("connected direct 192.0.2.1:5, path MTU 1280, fragments\n"));
  const json asked{{"id", 3},          {"channels", "all"},        {"connected", true},
                   {"path", "direct"}, {"address", "192.0.2.1:5"}, {"encapsulation", "ayiya"},
                   {"form", "ayiya"}};
  EXPECT_THAT(print_device(asked), HasSubstr("connected direct 192.0.2.1:5, ayiya\n"));
  json narrow = asked;
  narrow["form"] = "compact";
  EXPECT_THAT(print_device(narrow), HasSubstr("connected direct 192.0.2.1:5, ayiya, compact\n"));
  EXPECT_THAT(print_device({{"id", 3},
                            {"channels", "all"},
                            {"connected", true},
                            {"path", "relayed"},
                            {"path_reason", "this network blocks UDP"},
                            {"address", "203.0.113.11:50000"}}),
              HasSubstr("connected relayed (this network blocks UDP) 203.0.113.11:50000\n"));
  EXPECT_THAT(print_device({{"id", 3}, {"channels", {1, 2}}, {"connected", false}, {"last_seen_s", 9}}),
              HasSubstr("channels 1,2; last seen 9 s ago"));
  EXPECT_THAT(print_devices({{"devices", json::array()}}), HasSubstr("No device is paired yet"));
}

TEST(Print, ViewersWithTheirWay) {
  EXPECT_EQ(print_viewers(json::parse(R"({"viewers": []})")), "Nobody watches.\n");
  const std::string text = print_viewers(json::parse(
      R"({"viewers": [{"device_name": "Laptop", "channel_name": "One", "via": "tunnel", "path": "relayed",
                       "since_s": 61, "packets": 9, "dropped": 2},
                      {"device_name": "Laptop", "channel_name": "Two", "via": "lan_link"}]})"));
  EXPECT_THAT(text,
              testing::MatchesRegex("Laptop +One +relayed +for 61 s, 9 packets, 2 dropped\nLaptop +Two +"
                                    "by its LAN link +.*\n"));
}

TEST(Print, PairingWithEverythingThatADeviceNeeds) {
  const std::string text = print_pairing({{"link", "hearthcast://pair#AAAA"},
                                          {"code", "AAAAA-BBBBB"},
                                          {"expires_in_s", 600},
                                          {"tries_left", 5}});
  EXPECT_THAT(text, HasSubstr("Link  hearthcast://pair#AAAA\n"));
  EXPECT_THAT(text, HasSubstr("Code  AAAAA-BBBBB\n"));
  EXPECT_THAT(text, HasSubstr("600 s and 5 tries"));
  EXPECT_THAT(text, HasSubstr("\u2588"));
  EXPECT_THAT(print_pairings({{"pairings", json::array()}}), HasSubstr("not waiting"));
}

TEST(Print, ChannelListsAreAllNoneOrNumbers) {
  EXPECT_EQ(parse_channel_list("all"), json("all"));
  EXPECT_EQ(parse_channel_list("none"), json::array());
  EXPECT_EQ(parse_channel_list("1,22,3"), json::array({1, 22, 3}));
  for (const char* bad : {"", ",", "1,", ",1", "1,,2", "x", "1 2", "0", "-1", "99999999999999999999"}) {
    EXPECT_EQ(parse_channel_list(bad), std::nullopt) << bad;
  }
}

TEST(Print, PeersAreSaidNotToBeEncrypted) {
  const json cabin = {{"name", "cabin"},
                      {"encapsulation", "gre-udp"},
                      {"sealed", false},
                      {"learnt", false},
                      {"endpoint", "192.0.2.7:4754"},
                      {"watching", {1, 2}},
                      {"packets", 12},
                      {"refusal", "The owner has not allowed \"News\" for cabin."},
                      {"drops", {{"source", 3}, {"nested", 0}}}};
  const json boat = {{"name", "boat"}, {"encapsulation", "ayiya"},  {"sealed", false},
                     {"learnt", true}, {"watching", json::array()}, {"packets", 0}};
  const std::string text = print_peers({{"peers", {cabin, boat}}, {"strangers", 4}});
  EXPECT_EQ(
      text,
      "cabin                   gre-udp     NOT ENCRYPTED  192.0.2.7:4754; watches channels 1,2; 12 packets\n"
      "  The owner has not allowed \"News\" for cabin.\n"
      "  dropped from it: source 3\n"
      "boat                    ayiya       NOT ENCRYPTED  not known where (learnt); watches nothing; 0 "
      "packets\n"
      "Datagrams that could be no peer's, dropped: 4\n");
  EXPECT_THAT(print_peers({{"peers", json::array()}, {"strangers", 0}}), HasSubstr("only sealed tunnels"));
}

}  // namespace
}  // namespace hearthcast::app
