#include "appliance/access/lan_link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "appliance/api/metrics.hpp"
#include "tests/unit/api/browser.hpp"
#include "tunnelmgr/playlist/lan_path.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using testing_browser::json;

class LanLinkTest : public testing::Test, protected testing_browser::Browser {
 protected:
  LanLinkTest() {
    set_up();
    services.lan_port = 8872;
    laptop = pair(device, "laptop");
    path = "/devices/" + std::to_string(laptop.value) + "/lan-link";
  }
  const access::Device* holder(const std::string& playlist) {
    const auto link = access::lan_link_of(crypto, playlist::parse_lan_path(playlist).token);
    return link ? household->access().devices().find_lan_link(*link) : nullptr;
  }
  json shown() { return get("/devices").body()["devices"][0]; }

  secure::OpenSslIdentity device = secure::make_identity();
  DeviceId laptop;
  std::string path;
};

TEST_F(LanLinkTest, IsShownOnceAndLeadsToTheDevice) {
  EXPECT_EQ(shown()["lan_link"], false);
  const auto made = post(path, json::object());
  EXPECT_EQ(made.status, 201);
  const json body = made.body();
  EXPECT_EQ(body["port"], 8872);
  ASSERT_NE(holder(body["path"]), nullptr);
  EXPECT_EQ(holder(body["path"])->id, laptop);
  EXPECT_EQ(body["urls"], json::array({"http://192.0.2.1:8872" + body["path"].get<std::string>()}));
  EXPECT_EQ(made.headers.get("cache-control"), "no-store");
  EXPECT_EQ(shown()["lan_link"], true);
  const std::string token = playlist::parse_lan_path(body["path"].get<std::string>()).token;
  EXPECT_EQ(get("/devices").text.find(token), std::string::npos);
}

TEST_F(LanLinkTest, AnotherOneReplacesItAndNoneTakesItAway) {
  const std::string first = post(path, json::object()).body()["path"];
  const std::string second = post(path, json::object()).body()["path"];
  EXPECT_EQ(holder(first), nullptr);
  EXPECT_NE(holder(second), nullptr);
  EXPECT_EQ(remove(path).status, 204);
  EXPECT_EQ(holder(second), nullptr);
  EXPECT_EQ(shown()["lan_link"], false);
  EXPECT_EQ(remove(path).status, 204);
}

TEST_F(LanLinkTest, IPv6AddressesAreBracketed) {
  household->set_card({"Home", std::nullopt, {*Endpoint::parse("[2001:db8::7]:8871")}});
  const json body = post(path, json::object()).body();
  EXPECT_EQ(body["urls"][0].get<std::string>().substr(0, 27), "http://[2001:db8::7]:8872/l");
}

TEST_F(LanLinkTest, WithoutPlainHttpThereIsNothingToLinkTo) {
  services.lan_port = 0;
  const auto answer = post(path, json::object());
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "http_off");
  EXPECT_EQ(shown()["lan_link"], false);
}

TEST_F(LanLinkTest, IsTheOwnersMatterAlone) {
  cookie.clear();
  EXPECT_EQ(post(path, json::object()).code(), "not_signed_in");
  EXPECT_EQ(remove(path).code(), "not_signed_in");
  forge_proof = false;
  EXPECT_EQ(post(path, json::object()).code(), "missing_header");
}

TEST_F(LanLinkTest, OnlyThisPathAndOnlyOfADeviceThatIsThere) {
  EXPECT_EQ(post("/devices/99/lan-link", json::object()).code(), "not_found");
  EXPECT_EQ(remove("/devices/99/lan-link").code(), "not_found");
  for (const char* wrong :
       {"/devices//lan-link", "/devices/x/lan-link", "/devices/1x/lan-link", "/devices/1/",
        "/devices/lan-link", "/devices/1/lan-link/", "/devices/1/lan-linkx", "/devices/-1/lan-link"}) {
    EXPECT_EQ(post(wrong, json::object()).status, 404) << wrong;
  }
  EXPECT_EQ(get(path).status, 405);
}

TEST_F(LanLinkTest, PlayersAreAmongTheViewers) {
  const ChannelId news = add_channel("News", "239.1.1.1");
  ViewerLive row{laptop, news, PathKind::kLan, now - 5s, 0, 7000, 0};
  row.via = ViewerLive::Via::kLanLink;
  row.players = 3;
  live.viewers = {row};
  const json viewer = get("/viewers").body()["viewers"][0];
  EXPECT_EQ(viewer["via"], "lan_link");
  EXPECT_EQ(viewer["players"], 3);
  EXPECT_EQ(viewer["bytes"], 7000);
}

TEST_F(LanLinkTest, MetricsCountPlayersAndRefusals) {
  live.lan = {.players = 2, .started = 9, .bytes = 12345, .too_slow = 1, .refused = {{"wrong_link", 4}}};
  const std::string text = metrics_text(live, 1h);
  for (const char* line : {"hearthcast_lan_players 2\n", "hearthcast_lan_players_total 9\n",
                           "hearthcast_lan_bytes_total 12345\n", "hearthcast_lan_too_slow_total 1\n",
                           "hearthcast_lan_refused_total{reason=\"wrong_link\"} 4\n"}) {
    EXPECT_THAT(text, testing::HasSubstr(line));
  }
}

}  // namespace
}  // namespace hearthcast::api
