#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using testing_browser::json;

class ChannelsTest : public testing::Test, protected testing_browser::Browser {
 protected:
  ChannelsTest() { set_up(); }
};

TEST_F(ChannelsTest, ListsTheCatalogueWithLiveState) {
  const auto news = add_channel("News", "239.1.1.1");
  auto film = access::testing_people::listing("Film", "ff3e::1", 5002, "2001:db8::1");
  film.rtp = true;
  film.attributes["tvg-logo"] = "javascript:alert(1)";
  ASSERT_TRUE(household->import({{1, film}}));
  live.channels[news] = {ChannelLive::State::kLive, 8'000'000, 1234, 2, 3};

  const json body = get("/channels").body();
  EXPECT_EQ(body["revision"], household->access().catalogue().revision());
  ASSERT_EQ(body["channels"].size(), 2U);
  const json news_expected = {{"id", 1},
                              {"name", "News"},
                              {"flow", {{"group", "239.1.1.1"}, {"port", 5000}}},
                              {"rtp", false},
                              {"attributes", json::object()},
                              {"live",
                               {{"state", "live"},
                                {"bitrate_bps", 8'000'000},
                                {"packets", 1234},
                                {"continuity_errors", 2},
                                {"viewers", 3}}}};
  const json film_expected = {
      {"id", 2},
      {"name", "Film"},
      {"flow", {{"source", "2001:db8::1"}, {"group", "ff3e::1"}, {"port", 5002}}},
      {"rtp", true},
      {"attributes", {{"tvg-logo", "javascript:alert(1)"}}},
      {"live",
       {{"state", "idle"}, {"bitrate_bps", 0}, {"packets", 0}, {"continuity_errors", 0}, {"viewers", 0}}}};
  EXPECT_EQ(body["channels"][0], news_expected);
  EXPECT_EQ(body["channels"][1], film_expected);
}

TEST_F(ChannelsTest, RenamesAndRemoves) {
  const std::string path = "/channels/" + std::to_string(add_channel("News", "239.1.1.1").value);
  EXPECT_EQ(patch(path, {{"name", "Nachrichten"}}).body()["name"], "Nachrichten");
  EXPECT_EQ(patch(path, json::object()).body()["name"], "Nachrichten");
  std::string longest;
  for (int n = 0; n < 120; ++n) {
    longest += "ä";
  }
  EXPECT_EQ(patch(path, {{"name", longest}}).body()["name"], longest) << "characters, not octets";
  const auto bad = patch(path, {{"name", " "}});
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.body()["field"], "name");
  EXPECT_EQ(remove(path).status, 204);
  EXPECT_EQ(remove(path).code(), "not_found");
  EXPECT_EQ(patch(path, {{"name", "x"}}).code(), "not_found");
  EXPECT_EQ(patch(path, json::object()).code(), "not_found");
}

TEST_F(ChannelsTest, MarkupInANameIsText) {
  const std::string evil = "<img src=x onerror=alert(1)>\"';--";
  const std::string path = "/channels/" + std::to_string(add_channel("News", "239.1.1.1").value);
  EXPECT_EQ(patch(path, {{"name", evil}}).body()["name"], evil);
  EXPECT_EQ(get("/channels").headers.get("content-type"), "application/json");
}

}  // namespace
}  // namespace hearthcast::api
