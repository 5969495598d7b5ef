#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using namespace std::chrono_literals;
using testing_browser::json;

class DevicesTest : public testing::Test, protected testing_browser::Browser {
 protected:
  DevicesTest() {
    set_up();
    news = add_channel("News", "239.1.1.1");
    laptop = pair(device, "laptop");
    path = "/devices/" + std::to_string(laptop.value);
  }
  secure::OpenSslIdentity device = secure::make_identity();
  ChannelId news;
  DeviceId laptop;
  std::string path;
};

TEST_F(DevicesTest, ApprovesGrantsAndRevokes) {
  const json changed = patch(path, {{"state", "approved"}, {"channels", {news.value}}}).body();
  EXPECT_EQ(changed["state"], "approved");
  EXPECT_EQ(changed["channels"], json::array({news.value}));
  EXPECT_TRUE(household->access().may_continue(device.id(), news));
  EXPECT_EQ(patch(path, {{"channels", "all"}}).body()["channels"], "all");
  EXPECT_EQ(patch(path, {{"state", "revoked"}}).body()["state"], "revoked");
  EXPECT_FALSE(household->access().may_continue(device.id(), news));
}

TEST_F(DevicesTest, SaysWhereAtHomeADeviceMayGo) {
  EXPECT_EQ(get("/devices").body()["devices"][0]["home_hosts"], json::array());
  const json wanted{"192.168.1.50:80", "[fd00::5]:443", "192.168.1.50:80"};
  const json changed = patch(path, {{"state", "approved"}, {"home_hosts", wanted}}).body();
  EXPECT_EQ(changed["home_hosts"], (json{"192.168.1.50:80", "[fd00::5]:443"})) << "each once";
  EXPECT_EQ(household->access().home_hosts_of(device.id()).size(), 2U);
  EXPECT_EQ(patch(path, {{"home_hosts", json::array()}}).body()["home_hosts"], json::array());
  for (const json& bad :
       {json("192.168.1.50"), json{1}, json{"8.8.8.8"}, json{"192.168.1.50", "nas"}, json::object()}) {
    EXPECT_EQ(patch(path, {{"home_hosts", bad}}).code(), "invalid_field") << bad;
  }
  EXPECT_TRUE(household->access().home_hosts_of(device.id()).empty());
  json many = json::array();
  for (int i = 0; i < 33; ++i) {
    many.push_back("192.168.1." + std::to_string(i));
  }
  EXPECT_EQ(patch(path, {{"home_hosts", many}}).code(), "invalid_field");
}

TEST_F(DevicesTest, RefusesWhatItDoesNotUnderstandWhole) {
  for (const json& bad : {json{{"state", "pending"}}, json{{"state", 1}}, json{{"channels", "some"}},
                          json{{"channels", {"1"}}}, json{{"channels", {0}}}, json{{"channels", {99}}},
                          json{{"channels", {1.5}}}, json{{"name", ""}}, json{{"name", {}}}}) {
    json body = bad;
    body.emplace("state", "approved");
    EXPECT_EQ(patch(path, body).code(), "invalid_field") << body;
    EXPECT_EQ(household->access().devices().find(laptop)->state, access::DeviceState::kPending) << body;
  }
  EXPECT_EQ(patch("/devices/99", {{"state", "approved"}}).code(), "not_found");
}

TEST_F(DevicesTest, RenamesAndForgets) {
  EXPECT_EQ(patch(path, {{"name", "Kitchen"}}).body()["name"], "Kitchen");
  EXPECT_EQ(remove(path).status, 204);
  EXPECT_EQ(remove(path).code(), "not_found");
  EXPECT_EQ(get("/devices").body()["devices"], json::array());
}

TEST_F(DevicesTest, ShowsPendingFirstThenByName) {
  ASSERT_TRUE(
      household->change_device(laptop, {.name = {}, .state = access::DeviceState::kApproved, .grants = {}}));
  const auto other = secure::make_identity();
  const auto third = secure::make_identity();
  const auto b = pair(other, "b");
  ASSERT_TRUE(
      household->change_device(b, {.name = {}, .state = access::DeviceState::kApproved, .grants = {}}));
  (void)pair(third, "z pending");
  std::vector<std::string> names;
  const json body = get("/devices").body();
  for (const json& d : body["devices"]) {
    names.push_back(d["name"]);
  }
  EXPECT_THAT(names, testing::ElementsAre("z pending", "b", "laptop"));
}

TEST_F(DevicesTest, ShowsWhoIsConnectedAndHow) {
  live.devices[laptop] = {true, PathKind::kDirect, Endpoint::parse("198.51.100.1:4000"), std::nullopt};
  json d = get("/devices").body()["devices"][0];
  EXPECT_EQ(d["connected"], true);
  EXPECT_EQ(d["path"], "direct");
  EXPECT_EQ(d["address"], "198.51.100.1:4000");
  EXPECT_EQ(d["fingerprint"].get<std::string>().size(), 4U);
  EXPECT_FALSE(d.contains("last_seen_s"));
  live.devices[laptop] = {false, std::nullopt, std::nullopt, now - 90s};
  d = get("/devices").body()["devices"][0];
  EXPECT_EQ(d["connected"], false);
  EXPECT_EQ(d["last_seen_s"], 90);
  EXPECT_FALSE(d.contains("path"));
}

TEST_F(DevicesTest, ShowsWhyAPathIsRelayed) {
  live.devices[laptop] = {true, PathKind::kRelayed, Endpoint::parse("192.0.2.1:5"), std::nullopt};
  EXPECT_FALSE(get("/devices").body()["devices"][0].contains("path_reason")) << "it has not told yet";
  live.devices[laptop].path_reason = "this network blocks UDP";
  const json d = get("/devices").body()["devices"][0];
  EXPECT_EQ(d["path"], "relayed");
  EXPECT_EQ(d["path_reason"], "this network blocks UDP");
  live.devices[laptop].connected = false;
  EXPECT_FALSE(get("/devices").body()["devices"][0].contains("path_reason"));
}

TEST_F(DevicesTest, ShowsThePathsSizeAndTheFormWhileConnected) {
  live.devices[laptop] = {true, PathKind::kDirect, Endpoint::parse("192.0.2.1:5"), std::nullopt};
  json d = get("/devices").body()["devices"][0];
  EXPECT_FALSE(d.contains("path_mtu")) << "not known yet";
  EXPECT_FALSE(d.contains("form"));
  live.devices[laptop].path_mtu = 1428;
  live.devices[laptop].form = "compact";
  live.devices[laptop].encapsulation = "6in4";
  d = get("/devices").body()["devices"][0];
  EXPECT_EQ(d["path_mtu"], 1428);
  EXPECT_EQ(d["form"], "compact");
  EXPECT_EQ(d["encapsulation"], "6in4");
  live.viewers = {{laptop, news, PathKind::kDirect, now, 5, 6000, 1, "fragments"}};
  EXPECT_EQ(get("/viewers").body()["viewers"][0]["form"], "fragments");
  live.devices[laptop].connected = false;
  d = get("/devices").body()["devices"][0];
  EXPECT_FALSE(d.contains("path_mtu"));
  EXPECT_FALSE(d.contains("encapsulation"));
  EXPECT_FALSE(d.contains("form"));
}

TEST_F(DevicesTest, ShowsWhoWatchesWhat) {
  live.viewers = {{laptop, news, PathKind::kLan, now - 10s, 5, 6000, 1},
                  {DeviceId{99}, news, std::nullopt, now, 0, 0, 0}};
  live.viewers[0].asked_again = 9;
  live.viewers[0].sent_again = 7;
  live.viewers[0].not_sent_again = 2;
  const json viewers = get("/viewers").body()["viewers"];
  ASSERT_EQ(viewers.size(), 1U);  // the other one is gone already
  json expected = {{"device_id", 1}, {"device_name", "laptop"}, {"channel_id", 1}, {"channel_name", "News"},
                   {"path", "lan"},  {"since_s", 10},           {"packets", 5},    {"bytes", 6000},
                   {"dropped", 1},   {"via", "tunnel"},         {"players", 1}};
  expected.update({{"asked_again", 9}, {"sent_again", 7}, {"not_sent_again", 2}});
  EXPECT_EQ(viewers[0], expected);
}

TEST_F(DevicesTest, AFullDiskIsSaid) {
  fill_disk();
  testing_browser::Answer got;
  for (int i = 0; i < 50 && got.status != 507; ++i) {  // until the row does not fit into the pages there are
    got = patch(path, {{"name", std::string(60, static_cast<char>('a' + i % 26))}, {"channels", "all"}});
  }
  if (got.status == 507) {
    EXPECT_EQ(got.code(), "storage_full");
  }
  free_disk();
  EXPECT_EQ(patch(path, {{"name", "after"}}).status, 200);
}

}  // namespace
}  // namespace hearthcast::api
