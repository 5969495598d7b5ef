#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using testing::HasSubstr;
using testing_browser::json;

class PlaylistTest : public testing::Test, protected testing_browser::Browser {
 protected:
  PlaylistTest() { set_up(); }
  testing_browser::Answer import(const std::string& text, const std::string& type = "audio/x-mpegurl") {
    return send("POST", "/api/v1/playlist", text, type);
  }
};

TEST_F(PlaylistTest, SaysForEachLineWhatBecameOfIt) {
  const auto got = import(
      "#EXTM3U\n"
      "#EXTINF:-1 group-title=\"News\",One <b>\n"
      "udp://@239.1.1.1:5000\n"
      "http://example.net/stream\n"
      "udp://@239.1.1.9\n"
      "rtp://[2001:db8::1]@[ff3e::1]:5002\n"
      "udp://239.1.1.1:5000\n");
  EXPECT_EQ(got.status, 200);
  const json body = got.body();
  EXPECT_EQ(body["lines"].size(), 5U);
  EXPECT_EQ(body["added"], 2);
  EXPECT_EQ(body["failed"], 3);
  const json first = {
      {"line", 3}, {"result", "added"}, {"name", "One <b>"}, {"channel_id", 1}, {"text", "239.1.1.1:5000"}};
  EXPECT_EQ(body["lines"][0], first);
  EXPECT_EQ(body["lines"][1]["line"], 4);
  EXPECT_EQ(body["lines"][1]["result"], "failed");
  EXPECT_GT(body["lines"][1]["text"].get<std::string>().size(), 10U);
  EXPECT_EQ(body["lines"][3]["result"], "added");
  EXPECT_THAT(body["lines"][4]["text"].get<std::string>(), HasSubstr("line 3"));
  EXPECT_EQ(get("/channels").body()["channels"][0]["attributes"]["group-title"], "News");
  EXPECT_EQ(body["revision"], get("/channels").body()["revision"]);
}

TEST_F(PlaylistTest, TheSameListAgainChangesNothing) {
  const std::string text = "#EXTINF:-1,One\nudp://@239.1.1.1:5000\n";
  const auto revision = import(text).body()["revision"];
  const json again = import(text, "text/plain; charset=utf-8").body();
  EXPECT_EQ(again["unchanged"], 1);
  EXPECT_EQ(again["revision"], revision);
  EXPECT_EQ(import("#EXTINF:-1,Eins\nudp://@239.1.1.1:5000\n").body()["lines"][0]["result"], "updated");
}

TEST_F(PlaylistTest, NoChannelsAtAllIsAnError) {
  EXPECT_EQ(import("").code(), "empty_playlist");
  EXPECT_EQ(import("#EXTM3U\n# only a comment\n").code(), "empty_playlist");
  EXPECT_EQ(import("udp://@239.1.1.1:5000", "application/json").code(), "unsupported_media_type");
}

TEST_F(PlaylistTest, AFullDiskTakesNothing) {
  fill_disk();
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "#EXTINF:-1," + std::string(100, 'n') + "\nudp://@239.1.1.1:" + std::to_string(5000 + i) + "\n";
  }
  EXPECT_EQ(import(text).status, 507);
  EXPECT_EQ(import(text).code(), "storage_full");
  EXPECT_EQ(get("/channels").body()["channels"].size(), 0U);
  free_disk();
  EXPECT_EQ(import(text).body()["added"], 300);
}

TEST_F(PlaylistTest, ThousandsOfChannels) {
  std::string text = "#EXTM3U\n";
  for (int i = 0; i < 2'000; ++i) {
    text += "#EXTINF:-1,Channel " + std::to_string(i) + "\nudp://@239." + std::to_string(i / 250) + "." +
            std::to_string(1 + i % 250) + ".1:5000\n";
  }
  EXPECT_EQ(import(text).body()["added"], 2'000);
  EXPECT_EQ(get("/channels").body()["channels"].size(), 2'000U);
}

}  // namespace
}  // namespace hearthcast::api
