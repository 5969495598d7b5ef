#include "appliance/multicast/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hearthcast::multicast {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct File {
  std::string problem(const std::string& toml) {
    runtime::Settings keys;
    declare(keys, settings);
    const auto read = keys.read_text(toml, "box.toml");
    return read ? "" : read.error().text;
  }
  const InstanceSettings& only() { return settings.instances.at(0); }
  MulticastSettings settings;
};

TEST(MulticastSettings, WithoutTheSectionThereIsNothing) {
  File file;
  EXPECT_EQ(file.problem(""), "");
  EXPECT_THAT(file.settings.instances, IsEmpty());
  EXPECT_THAT(file.settings.proxy().instances, IsEmpty());
}

TEST(MulticastSettings, AShortInstanceHasTheRfcsDefaults) {
  File file;
  ASSERT_EQ(file.problem("[[multicast]]\nname = \"tv\"\nupstream = [\"eth0\"]\ndownstream = [\"eth1\"]\n"),
            "");
  const proxy::InstanceSettings& tv = file.only().proxy;
  EXPECT_EQ(tv.name, "tv");
  EXPECT_THAT(tv.upstreams, ElementsAre("eth0"));
  EXPECT_THAT(tv.downstreams, ElementsAre("eth1"));
  EXPECT_EQ(tv.tunnels, proxy::TunnelPolicy::kNone);
  EXPECT_EQ(tv.otherwise, proxy::Verdict::kAllow);
  EXPECT_FALSE(tv.send_upstream);
  EXPECT_EQ(tv.ssm_ranges, default_ssm_ranges());
  EXPECT_EQ(file.settings.proxy().instances.at(0).loop_lifetime, std::chrono::seconds(260));
  const auto router = file.settings.router("eth1", Family::kIp6, 1500);
  EXPECT_EQ(router, membership::RouterSettings{.family = Family::kIp6});
}

TEST(MulticastSettings, EveryKeyArrives) {
  File file;
  ASSERT_EQ(file.problem(R"(
    [[multicast]]
    name = "tv"
    upstream = ["eth0", "ppp0"]
    downstream = ["eth1", "eth2"]
    tunnels = "chosen"
    otherwise = "deny"
    send_upstream = true
    ssm_ranges = ["232.0.0.0/8"]
    query_interval_s = 60
    query_response_ms = 5000
    last_listener_query_ms = 500
    robustness = 3
    max_groups = 10
    max_sources = 5
    max_routes = 7
    max_unwanted_routes = 8
    fast_leave = true
    [[multicast.link]]
    interface = "eth2"
    igmp_version = 2
    mld_version = 1
    threshold = 16
    [[multicast.rule]]
    verdict = "deny"
    interface = "eth1"
    group = "239.255.0.0/16"
    source = "192.0.2.0/24"
    [[multicast.rule]]
    verdict = "allow"
    [[multicast.boundary]]
    interface = "/tunnels"
    groups = ["239.0.0.0/8", "ff05::/16"]
    scope = 8
    [[multicast.join]]
    group = "ff3e::8000:1"
    source = "2001:db8::1"
    [[multicast.route]]
    from = "eth0"
    to = ["eth1", "eth2"]
    group = "239.1.0.0/16"
  )"),
            "");
  const proxy::InstanceSettings tv = file.settings.proxy().instances.at(0);
  EXPECT_EQ(tv.tunnels, proxy::TunnelPolicy::kChosen);
  EXPECT_EQ(tv.otherwise, proxy::Verdict::kDeny);
  EXPECT_TRUE(tv.send_upstream);
  EXPECT_THAT(tv.ssm_ranges, ElementsAre(*Prefix::parse("232.0.0.0/8")));
  EXPECT_EQ(tv.limits.learned, 7U);
  EXPECT_EQ(tv.limits.negative, 8U);
  EXPECT_THAT(tv.thresholds, ElementsAre(std::pair<const std::string, std::uint8_t>("eth2", 16)));
  EXPECT_THAT(tv.rules, ElementsAre(proxy::Rule{.verdict = proxy::Verdict::kDeny,
                                                .interface = "eth1",
                                                .group = Prefix::parse("239.255.0.0/16"),
                                                .source = Prefix::parse("192.0.2.0/24")},
                                    proxy::Rule{}));
  EXPECT_THAT(tv.boundaries, ElementsAre(proxy::Boundary{
                                 .interface = "/tunnels",
                                 .groups = {*Prefix::parse("239.0.0.0/8"), *Prefix::parse("ff05::/16")},
                                 .scope = 8}));
  EXPECT_THAT(tv.joins, ElementsAre(proxy::StaticJoin{.upstream = "",
                                                      .group = *Prefix::parse("ff3e::8000:1"),
                                                      .source = IpAddress::parse("2001:db8::1")}));
  EXPECT_THAT(
      tv.routes,
      ElementsAre(proxy::StaticRoute{
          .from = "eth0", .to = {"eth1", "eth2"}, .group = *Prefix::parse("239.1.0.0/16"), .source = {}}));
}

TEST(MulticastSettings, RoutersFollowTheirInstanceAndTheirOwnLink) {
  File file;
  ASSERT_EQ(file.problem(R"(
    [[multicast]]
    name = "tv"
    upstream = ["eth0"]
    downstream = ["eth1", "eth2"]
    query_interval_s = 60
    robustness = 3
    max_groups = 10
    fast_leave = true
    [[multicast.link]]
    interface = "eth2"
    igmp_version = 2
    mld_version = 1
    [[multicast]]
    name = "radio"
    upstream = ["eth5"]
    downstream = ["eth6"]
  )"),
            "");
  const auto usual = file.settings.router("eth1", Family::kIp4, 9000);
  EXPECT_EQ(usual.timing.query_interval, 60s);
  EXPECT_EQ(usual.timing.robustness, 3);
  EXPECT_EQ(usual.limits.groups, 10U);
  EXPECT_TRUE(usual.fast_leave);
  EXPECT_EQ(usual.querier_version, 0);
  EXPECT_EQ(usual.packet_size, 9000U);
  const auto own = file.settings.router("eth2", Family::kIp4, 1500);
  EXPECT_EQ(own.querier_version, 2);
  EXPECT_FALSE(own.fast_leave);  // a link says all that is unlike
  EXPECT_EQ(own.timing.query_interval, 60s);
  EXPECT_EQ(file.settings.router("eth2", Family::kIp6, 1500).querier_version, 1);
  EXPECT_EQ(file.settings.router("eth6", Family::kIp6, 1500).timing.query_interval, 125s);
}

TEST(MulticastSettings, ALoopIsForgottenAsSoonAsTheQueriesOfTheInstanceAllow) {
  File file;
  ASSERT_EQ(file.problem("[[multicast]]\nname = \"tv\"\nupstream = [\"eth0\"]\ndownstream = [\"eth1\"]\n"
                         "query_interval_s = 4\nquery_response_ms = 1000\nrobustness = 3\n"),
            "");
  EXPECT_EQ(file.settings.proxy().instances.at(0).loop_lifetime, std::chrono::seconds(13));
}

TEST(MulticastSettings, ATinyMtuStillFitsWhatTheFamilyGuarantees) {
  File file;
  EXPECT_EQ(file.settings.router("eth1", Family::kIp6, 68).packet_size, 1280U);
  EXPECT_EQ(file.settings.router("eth1", Family::kIp4, 68).packet_size, 576U);
}

TEST(MulticastSettings, ErrorsSayWhereAndWhatIsAccepted) {
  const std::string start = "[[multicast]]\nname = \"tv\"\n";
  for (const auto& [toml, part] : std::initializer_list<std::pair<const char*, const char*>>{
           {"upstrem = [\"eth0\"]", "unknown key multicast[1].upstrem"},
           {"upstream = \"eth0\"", "a list of texts in quotes"},
           {"tunnels = \"some\"", "\"none\", \"chosen\" or \"all\""},
           {"otherwise = \"maybe\"", "\"allow\" or \"deny\""},
           {"ssm_ranges = [\"232.0.0.1/8\"]", "a list, each an address or a prefix"},
           {"robustness = 0", "from 1 to 7"},
           {"igmp_version = 4", "from 0 to 3"},
           {"query_interval_s = 10", "query_response_ms has to be less than query_interval_s"},
           {"[[multicast.rule]]\nverdict = \"drop\"", "multicast[1].rule[1].verdict"},
           {"[[multicast.rule]]\ngroup = \"everything\"", "an address or a prefix in quotes"},
           {"[[multicast.rule]]\ngrp = \"\"",
            "the keys of [[multicast.rule]] are verdict, interface, group, source"},
           {"[[multicast.link]]\nfast_leave = true", "a link needs its interface"},
           {"[[multicast.link]]\ninterface = \"eth1\"\nthreshold = 255", "from 1 to 254"},
           {"[[multicast.boundary]]\nscope = 5", "a boundary needs its interface"},
           {"[[multicast.boundary]]\ninterface = \"eth0\"\nscope = 15", "from 0 to 14"},
           {"[[multicast.join]]\nsource = \"192.0.2.1\"", "a join needs a group"},
           {"[[multicast.join]]\ngroup = \"192.0.2.1\"", "a join needs a group"},
           {"[[multicast.join]]\ngroup = \"239.1.1.1\"\nsource = \"x\"", "an address in quotes"},
           {"[[multicast.route]]\ngroup = \"239.1.1.1\"", "a route needs from and to"},
           {"[[multicast.route]]\nfrom = \"a\"\nto = [\"b\"]", "a route needs a group"}}) {
    File file;
    EXPECT_THAT(file.problem(start + toml), HasSubstr(part)) << toml;
    EXPECT_THAT(file.settings.instances, IsEmpty()) << toml;
  }
  File file;
  EXPECT_EQ(file.problem("[[multicast]]\n"), "box.toml:1: multicast[1]: an instance needs a name");
  EXPECT_THAT(file.problem("[multicast]\nname = \"tv\"\n"), HasSubstr("it is written [[multicast]]"));
}

TEST(MulticastSettings, TheSamplesExampleIsGood) {
  runtime::Settings keys;
  MulticastSettings unused;
  declare(keys, unused);
  std::string text = keys.sample();
  text.erase(0, text.find("#[[multicast]]"));
  std::string instance;  // one comment sign less on each line
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    instance += text.substr(at + 1, text.find('\n', at) - at);
  }
  File file;
  ASSERT_EQ(file.problem(instance), "") << instance;
  EXPECT_EQ(file.only().proxy.name, "tv");
  EXPECT_FALSE(proxy::check(file.settings.proxy()).has_value());
  // Once more, for the tables inside: their prose stays behind its sign.
  std::string whole;
  for (std::size_t at = 0; at < instance.size(); at = instance.find('\n', at) + 1) {
    const std::string line = instance.substr(at, instance.find('\n', at) - at + 1);
    whole += line.starts_with("#") && !line.starts_with("# ") ? line.substr(1) : line;
  }
  File inner;
  ASSERT_EQ(inner.problem(whole), "") << whole;
  EXPECT_EQ(inner.only().links.size(), 1U);
  EXPECT_EQ(inner.only().proxy.rules.size(), 1U);
  EXPECT_EQ(inner.only().proxy.boundaries.size(), 1U);
  EXPECT_EQ(inner.only().proxy.joins.size(), 1U);
  EXPECT_EQ(inner.only().proxy.routes.size(), 1U);
  EXPECT_FALSE(proxy::check(inner.settings.proxy()).has_value());
  for (const char* example : {"##[[multicast.link]]", "##[[multicast.rule]]", "##[[multicast.boundary]]",
                              "##[[multicast.join]]", "##[[multicast.route]]"}) {
    EXPECT_THAT(text, HasSubstr(example));
  }
}

}  // namespace
}  // namespace hearthcast::multicast
