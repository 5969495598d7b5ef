#include "tunnelmgr/playlist/lan_path.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::playlist {
namespace {

using testing::HasSubstr;

const std::string kToken = "7KQ4M2N8XR0T5VWYZ3ABCDEFGH";

LanPath parse(const std::string& below) { return parse_lan_path("/lan/" + kToken + below); }

TEST(LanPath, TheRelayAnswersItsOwnPathsAndUdpxys) {
  for (const char* path : {"/lan", "/lan/", "/lan/x", "/lan/x/playlist.m3u", "/playlist.m3u",
                           "/udp/239.1.1.1:5000", "/rtp/239.1.1.1:5000", "/udp/"}) {
    EXPECT_TRUE(is_lan_path(path)) << path;
  }
  for (const char* path : {"", "/", "/lanes", "/language", "/udp", "/rtp", "/udpx/", "/playlist.m3u8",
                           "/api/v1/playlist", "/index.html", "/metrics"}) {
    EXPECT_FALSE(is_lan_path(path)) << path;
  }
}

TEST(LanPath, EveryFormOfAnAddressIsTakenAsUdpxyTakesIt) {
  struct Good {
    const char* below;
    const char* flow;
    bool rtp;
  };
  const Good rows[] = {
      {"/udp/239.1.1.1:5000", "239.1.1.1:5000", false},
      {"/rtp/239.1.1.1:5000", "239.1.1.1:5000", true},
      {"/rtp/192.0.2.1@232.1.1.1:5000", "192.0.2.1@232.1.1.1:5000", true},
      {"/udp/@239.1.1.1:1", "239.1.1.1:1", false},
      {"/udp/239.1.1.1:65535/", "239.1.1.1:65535", false},
      {"/udp/[ff3e::8000:1]:1234", "[ff3e::8000:1]:1234", false},
      {"/rtp/[2001:db8::1]@[ff3e::8000:1]:1234", "[2001:db8::1]@[ff3e::8000:1]:1234", true},
  };
  for (const Good& row : rows) {
    const auto path = parse(row.below);
    EXPECT_EQ(path.token, kToken);
    const auto* channel = std::get_if<LanChannel>(&path.wish);
    ASSERT_NE(channel, nullptr) << row.below;
    EXPECT_EQ(channel->flow.to_string(), row.flow) << row.below;
    EXPECT_EQ(channel->rtp, row.rtp) << row.below;
  }
}

TEST(LanPath, ABadAddressSaysWhatIsWrongWithIt) {
  struct Bad {
    const char* below;
    const char* text;
  };
  const Bad rows[] = {
      {"/udp/", "the address is missing"},
      {"/udp/239.1.1.1", "the port is missing"},
      {"/udp/239.1.1.1:0", "is not a port"},
      {"/udp/239.1.1.1:65536", "is not a port"},
      {"/udp/239.1.1.1:5000x", "is not a port"},
      {"/udp/192.0.2.1:5000", "is not a multicast address"},
      {"/udp/239.1.1:5000", "is not an IP address"},
      {"/udp/ff3e::1:5000", "put the IPv6 address in brackets"},
      {"/udp/[ff3e::1]:", "is not a port"},
      {"/udp/[ff3e::1%eth0]:5000", "names an interface"},
      {"/rtp/example@239.1.1.1:5000", "before the @ is not an IP address"},
      {"/rtp/2001:db8::1@239.1.1.1:5000", "are not of one IP version"},
  };
  for (const Bad& row : rows) {
    const auto path = parse(row.below);
    const auto* mistake = std::get_if<LanMistake>(&path.wish);
    ASSERT_NE(mistake, nullptr) << row.below;
    EXPECT_TRUE(mistake->address) << row.below;
    EXPECT_THAT(mistake->text, HasSubstr(row.text)) << row.below;
  }
}

TEST(LanPath, AnEndlessAddressIsNotReadAtAll) {
  const auto path = parse("/udp/" + std::string(100'000, '1') + ":5000");
  const auto* mistake = std::get_if<LanMistake>(&path.wish);
  ASSERT_NE(mistake, nullptr);
  EXPECT_LT(mistake->text.size(), 200U);
}

TEST(LanPath, WhatElseIsBelowAToken) {
  EXPECT_TRUE(std::holds_alternative<LanOverview>(parse("").wish));
  EXPECT_TRUE(std::holds_alternative<LanOverview>(parse("/").wish));
  EXPECT_TRUE(std::holds_alternative<LanPlaylist>(parse("/playlist.m3u").wish));
  for (const char* below :
       {"/playlist.m3u/", "/status", "/udp", "/UDP/239.1.1.1:5000", "//udp/239.1.1.1:5000"}) {
    const auto path = parse(below);
    const auto* mistake = std::get_if<LanMistake>(&path.wish);
    ASSERT_NE(mistake, nullptr) << below;
    EXPECT_FALSE(mistake->address) << below;
    EXPECT_THAT(mistake->text, HasSubstr("udp/GROUP:PORT")) << below;
  }
}

TEST(LanPath, WithoutATokenTheTokenIsEmpty) {
  for (const char* path : {"/lan", "/lan/", "/udp/239.1.1.1:5000", "/playlist.m3u", "/rtp/x", "/"}) {
    EXPECT_EQ(parse_lan_path(path).token, "") << path;
  }
  EXPECT_EQ(parse_lan_path("").token, "");
  EXPECT_EQ(parse_lan_path("/lan//playlist.m3u").token, "");
}

TEST(LanPath, WhatIsWrittenReadsBack) {
  for (const char* text : {"udp://239.1.1.1:5000", "rtp://192.0.2.1@232.1.1.1:5000",
                           "udp://[2001:db8::1]@[ff3e::8000:1]:5000"}) {
    const auto entry = parse_channel_url(text);
    ASSERT_TRUE(entry);
    const auto path = parse_lan_path(lan_channel_path(kToken, entry->flow, entry->rtp));
    const auto* channel = std::get_if<LanChannel>(&path.wish);
    ASSERT_NE(channel, nullptr);
    EXPECT_EQ(channel->flow, entry->flow);
    EXPECT_EQ(channel->rtp, entry->rtp);
  }
  EXPECT_EQ(lan_playlist_path("ABC"), "/lan/ABC/playlist.m3u");
  EXPECT_TRUE(std::holds_alternative<LanPlaylist>(parse_lan_path(lan_playlist_path("ABC")).wish));
}

}  // namespace
}  // namespace hearthcast::playlist
