// GET /multicast, POST /reload, the tunnel port's counters in /status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"
#include "tests/unit/api/multicast_example.hpp"

namespace hearthcast::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class MulticastApiTest : public testing::Test, protected testing_browser::Browser {
 protected:
  MulticastApiTest() { set_up(); }
  json shown() {
    live.multicast = std::make_shared<const multicast::MulticastStatus>(testing_multicast::example());
    return get("/multicast").body();
  }
};

TEST_F(MulticastApiTest, WithoutAnInstanceThereIsNothingToShow) {
  const json body = get("/multicast").body();
  EXPECT_EQ(body, json({{"instance", json::array()},
                        {"tunnel", json::array()},
                        {"trouble", json::array()},
                        {"drops", json::object()}}));
}

TEST_F(MulticastApiTest, OnlyTheOwnerSeesIt) {
  cookie.clear();
  EXPECT_EQ(get("/multicast").status, 401);
}

TEST_F(MulticastApiTest, InstancesTellTheirDiagnosisAndWhatTheyDropped) {
  const json instance = shown().at("instance").at(0);
  EXPECT_EQ(instance.at("name"), "tv");
  EXPECT_EQ(instance.at("tunnels"), "chosen");
  EXPECT_EQ(instance.at("send_upstream"), false);
  EXPECT_EQ(instance.at("diagnosis").at(0).at("code"), "no_query");
  EXPECT_THAT(instance.at("diagnosis").at(0).at("text").get<std::string>(), HasSubstr("300 s"));
  EXPECT_EQ(instance.at("drops").at("denied_by_rule"), 7);
  EXPECT_EQ(instance.at("drops").at("bad_source"), 0);
  EXPECT_EQ(instance.at("drops").size(), proxy::kDropReasons);
  EXPECT_EQ(instance.at("upstream_changes"), 4);
}

TEST_F(MulticastApiTest, UpstreamsTellTheProvidersQuerier) {
  const json upstream = shown().at("instance").at(0).at("upstream_interface").at(0);
  EXPECT_EQ(upstream.at("interface_name"), "eth0");
  EXPECT_EQ(upstream.at("index"), 2);
  EXPECT_EQ(upstream.at("state"), "up");
  const json& six = upstream.at("families").at(1);
  EXPECT_EQ(six.at("family"), "ipv6");
  EXPECT_EQ(six.at("querier"), "fe80::99");
  EXPECT_EQ(six.at("version"), 1);
  EXPECT_EQ(six.at("older"), true);
  EXPECT_EQ(six.at("last_query_s"), 300);
  EXPECT_FALSE(upstream.at("families").at(0).contains("last_query_s"));
}

TEST_F(MulticastApiTest, DownstreamsTellQuerierTimersSourcesAndHosts) {
  const json downstreams = shown().at("instance").at(0).at("downstream_interface");
  const json& router = downstreams.at(0).at("families").at(0);
  EXPECT_EQ(router.at("is_querier"), true);
  EXPECT_EQ(router.at("querier"), "fe80::1");
  EXPECT_EQ(router.at("reports"), 12);  // of both versions
  EXPECT_EQ(router.at("queries_sent"), 8);
  EXPECT_EQ(router.at("next_query_s"), 60);
  EXPECT_EQ(router.at("drops").at("over_limit"), 5);
  const json& group = router.at("group").at(0);
  EXPECT_EQ(group.at("group_address"), "ff3e::8000:1");
  EXPECT_EQ(group.at("filter_mode"), "include");
  EXPECT_EQ(group.at("source").at(0),
            json({{"source_address", "2001:db8::1"}, {"forwarded", true}, {"expire_s", 250}}));
  EXPECT_EQ(group.at("host").at(0).at("host_address"), "fe80::9");
  EXPECT_EQ(group.at("host").at(0).at("heard_s"), 10);
  EXPECT_EQ(group.at("last_reporter"), "fe80::9");
  EXPECT_FALSE(group.contains("expire_s"));
  EXPECT_EQ(downstreams.at(1).at("state"), "absent");
  EXPECT_FALSE(downstreams.at(1).contains("index"));
  EXPECT_EQ(downstreams.at(1).at("families"), json::array());
}

TEST_F(MulticastApiTest, InterfacesTellWhatWasRoutedThroughThem) {
  const json instance = shown().at("instance").at(0);
  EXPECT_EQ(instance.at("upstream_interface").at(0).at("traffic"), json({{{"family", "ipv6"},
                                                                          {"packets_in", 1000},
                                                                          {"bytes_in", 1'376'000},
                                                                          {"packets_out", 0},
                                                                          {"bytes_out", 0}}}));
  const json& lan = instance.at("downstream_interface").at(0).at("traffic");
  EXPECT_EQ(lan.at(0).at("family"), "ipv4");
  EXPECT_EQ(lan.at(1).at("packets_out"), 999);
  EXPECT_EQ(instance.at("downstream_interface").at(1).at("traffic"), json::array());
}

TEST_F(MulticastApiTest, GroupsNameEveryListenerByInterfaceDeviceOrAsStatic) {
  const json group = shown().at("instance").at(0).at("group").at(0);
  EXPECT_EQ(group.at("packets"), 1000);
  EXPECT_EQ(group.at("upstream_interface").at(0).at("interface_name"), "eth0");
  std::vector<std::string> names;
  for (const json& listener : group.at("downstream_interface")) {
    names.push_back(listener.at("interface_name"));
  }
  EXPECT_THAT(names, testing::ElementsAre("eth1", "device 3", "static"));
}

TEST_F(MulticastApiTest, RoutesTellKindTrafficAndWrongInterfaces) {
  const json routes = shown().at("instance").at(0).at("route");
  EXPECT_EQ(routes.at(0).at("source_address"), "2001:db8::1");
  EXPECT_EQ(routes.at(0).at("incoming_interface"), "eth0");
  EXPECT_EQ(routes.at(0).at("outgoing_interface"), json({"eth1"}));
  EXPECT_EQ(routes.at(0).at("kind"), "listened");
  EXPECT_EQ(routes.at(0).at("bytes"), 1'316'000);
  EXPECT_EQ(routes.at(0).at("wrong_interface"), 2);
  EXPECT_EQ(routes.at(0).at("idle_s"), 1);
  EXPECT_FALSE(routes.at(1).contains("source_address"));
  EXPECT_EQ(routes.at(1).at("kind"), "negative");
  EXPECT_EQ(routes.at(1).at("outgoing_interface"), json::array());
  EXPECT_FALSE(routes.at(1).contains("idle_s"));
}

TEST_F(MulticastApiTest, TunnelsAndTroublesAreThereToo) {
  const json body = shown();
  EXPECT_EQ(body.at("tunnel").at(0).at("device_id"), 3);
  EXPECT_EQ(body.at("tunnel").at(0).at("families").at(0).at("family"), "ipv6");
  EXPECT_EQ(body.at("trouble"), json({"The kernel has no table left."}));
  EXPECT_EQ(body.at("drops").at("link_overflow"), 11);
}

TEST_F(MulticastApiTest, StatusCountsTheTunnelPortByReasonForTheOwnerOnly) {
  live.tunnel_port = {.datagrams = 90, .drops = {{"stray", 4}, {"rejected", 0}}};
  EXPECT_EQ(get("/status").body().at("tunnel_port"),
            json({{"datagrams", 90}, {"drops", {{"stray", 4}, {"rejected", 0}}}}));
  cookie.clear();
  EXPECT_FALSE(get("/status").body().contains("tunnel_port"));
}

TEST_F(MulticastApiTest, ReloadIsForTheControlSocketAlone) {
  services.reload = [] { return Result<Reloaded, Failure>(Reloaded{"Nothing changed."}); };
  EXPECT_EQ(post("/reload", json::object()).status, 404);
  use_control_socket();
  const auto done = post("/reload", json::object());
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body().at("text"), "Nothing changed.");
}

TEST_F(MulticastApiTest, AReloadThatIsRefusedSaysWhy) {
  use_control_socket();
  services.reload = [] { return Result<Reloaded, Failure>(Failure{"box.toml:3: unknown key x"}); };
  const auto refused = post("/reload", json::object());
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.code(), "bad_settings");
  EXPECT_EQ(refused.body().at("detail"), "box.toml:3: unknown key x");
  services.reload = nullptr;
  EXPECT_EQ(post("/reload", json::object()).status, 503);
}

}  // namespace
}  // namespace hearthcast::api
