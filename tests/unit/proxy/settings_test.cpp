#include "appliance/proxy/settings.hpp"

#include <gmock/gmock.h>

namespace hearthcast::proxy {
namespace {

using testing::HasSubstr;

Prefix prefix(std::string_view text) { return *Prefix::parse(text); }
IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

InstanceSettings tv() { return {.name = "tv", .upstreams = {"wan"}, .downstreams = {"lan", "guest"}}; }

std::string complaint(InstanceSettings instance) {
  const auto failure = check({.instances = {std::move(instance)}});
  return failure ? failure->text : "";
}

TEST(Settings, AnOrdinaryInstanceIsFine) {
  EXPECT_EQ(complaint(tv()), "");
  EXPECT_FALSE(check({}));
  EXPECT_EQ(
      complaint({.name = "away", .upstreams = {"wan"}, .downstreams = {}, .tunnels = TunnelPolicy::kChosen}),
      "");
}

TEST(Row01_Roles, AnInstanceNeedsAnUpstreamAndSomebodyBelow) {
  auto no_upstream = tv();
  no_upstream.upstreams = {};
  EXPECT_THAT(complaint(no_upstream), HasSubstr("instance tv: it has no upstream. Name the interface"));
  auto no_downstream = tv();
  no_downstream.downstreams = {};
  EXPECT_THAT(complaint(no_downstream), HasSubstr("no downstream"));
  no_downstream.joins = {{.group = prefix("239.1.1.1")}};
  EXPECT_EQ(complaint(no_downstream), "") << "it holds a stream at the box";
}

TEST(Row01_Roles, AnInterfaceHasOneRoleInAnInstance) {
  auto both = tv();
  both.downstreams.push_back("wan");
  EXPECT_THAT(complaint(both), HasSubstr("interface wan is upstream and downstream"));
  EXPECT_THAT(complaint(both), HasSubstr("give it one of the two roles"));
  auto twice = tv();
  twice.downstreams.push_back("lan");
  EXPECT_THAT(complaint(twice), HasSubstr("interface lan is named twice"));
  auto nameless = tv();
  nameless.downstreams.push_back("");
  EXPECT_THAT(complaint(nameless), HasSubstr("no name"));
}

TEST(Row01_Roles, AnInterfaceBelongsToOneInstance) {
  auto radio = tv();
  radio.name = "radio";
  radio.upstreams = {"wan2"};
  auto failure = check({.instances = {tv(), radio}});
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->text, HasSubstr("Interface lan belongs to the multicast instances tv and radio"));
  EXPECT_THAT(failure->text, HasSubstr("let rules choose"));
  radio.downstreams = {"cellar"};
  EXPECT_FALSE(check({.instances = {tv(), radio}}));
  radio.downstreams = {"wan"};
  EXPECT_TRUE(check({.instances = {tv(), radio}})) << "the upstream of one as the downstream of the other";
}

TEST(Settings, InstancesHaveNamesOfTheirOwn) {
  auto nameless = tv();
  nameless.name = "";
  EXPECT_THAT(check({.instances = {nameless}})->text, HasSubstr("no name"));
  EXPECT_THAT(check({.instances = {tv(), tv()}})->text, HasSubstr("Two multicast instances are called tv"));
}

TEST(Settings, OneInstanceServesTunnels) {
  auto one = tv();
  one.tunnels = TunnelPolicy::kChosen;
  InstanceSettings two{
      .name = "b", .upstreams = {"b0"}, .downstreams = {"b1"}, .tunnels = TunnelPolicy::kAll};
  EXPECT_THAT(check({.instances = {one, two}})->text, HasSubstr("tv and b both serve tunnels"));
  two.tunnels = TunnelPolicy::kNone;
  EXPECT_FALSE(check({.instances = {one, two}}));
}

TEST(Settings, RulesNameWhatThereIs) {
  auto with = [](Rule rule) {
    auto instance = tv();
    instance.rules = {std::move(rule)};
    return complaint(instance);
  };
  EXPECT_EQ(with({.interface = "lan", .group = prefix("239.0.0.0/8"), .source = prefix("10.0.0.0/8")}), "");
  EXPECT_EQ(with({.interface = std::string(kTunnels), .group = prefix("224.0.0.0/4")}), "");
  EXPECT_THAT(with({.interface = "attic"}),
              HasSubstr("a rule names attic, which is no interface of this instance"));
  EXPECT_THAT(with({.group = prefix("10.0.0.0/8")}), HasSubstr("10.0.0.0/8 is no multicast group"));
  EXPECT_THAT(with({.group = prefix("0.0.0.0/0")}), HasSubstr("no multicast group"));
  EXPECT_THAT(with({.source = prefix("239.0.0.0/8")}), HasSubstr("the source 239.0.0.0/8 is a group"));
  EXPECT_THAT(with({.group = prefix("ff05::/16"), .source = prefix("10.0.0.0/8")}),
              HasSubstr("different IP versions"));
}

TEST(Row38_Scope, BoundariesSayWhereAndWhat) {
  auto with = [](Boundary boundary) {
    auto instance = tv();
    instance.boundaries = {std::move(boundary)};
    return complaint(instance);
  };
  EXPECT_EQ(with({.interface = "wan", .groups = {prefix("239.255.0.0/16")}}), "");
  EXPECT_EQ(with({.interface = std::string(kTunnels), .scope = 5}), "");
  EXPECT_THAT(with({.interface = "attic", .scope = 5}), HasSubstr("a boundary names attic"));
  EXPECT_THAT(with({.interface = "wan"}), HasSubstr("neither groups nor a scope"));
  EXPECT_THAT(with({.interface = "wan", .scope = 15}), HasSubstr("it can be 3 to 14"));
  EXPECT_THAT(with({.interface = "wan", .scope = 2}), HasSubstr("it can be 3 to 14"));
  EXPECT_THAT(with({.interface = "wan", .groups = {prefix("10.0.0.0/8")}}), HasSubstr("no multicast group"));
}

TEST(Settings, StaticJoinsAreGroupsInNumbersThatAKernelTakes) {
  auto with = [](std::vector<StaticJoin> joins) {
    auto instance = tv();
    instance.joins = std::move(joins);
    return complaint(instance);
  };
  EXPECT_EQ(with({{.upstream = "wan", .group = prefix("239.1.0.0/22"), .source = ip("10.0.0.1")}}), "");
  EXPECT_THAT(with({{.group = prefix("239.1.0.0/22")}, {.group = prefix("239.2.0.1")}}),
              HasSubstr("more than 1024 groups"));
  EXPECT_THAT(with({{.group = prefix("ff05::/16")}}), HasSubstr("more than 1024 groups"));
  EXPECT_THAT(with({{.upstream = "lan", .group = prefix("239.1.1.1")}}),
              HasSubstr("lan, which is no upstream"));
  EXPECT_THAT(with({{.group = prefix("192.0.2.1")}}), HasSubstr("no multicast group"));
  EXPECT_THAT(with({{.group = prefix("239.1.1.1"), .source = ip("239.1.1.1")}}), HasSubstr("is a group"));
  EXPECT_THAT(with({{.group = prefix("239.1.1.1"), .source = ip("2001:db8::1")}}),
              HasSubstr("different IP versions"));
}

TEST(Row24_LinkScope, StaticJoinsAndRoutesOfLinkScopeAreRefused) {
  auto joined = tv();
  joined.joins = {{.group = prefix("224.0.0.251")}};
  EXPECT_THAT(complaint(joined), HasSubstr("224.0.0.251 never leaves a link"));
  auto routed = tv();
  routed.routes = {{.from = "wan", .to = {"lan"}, .group = prefix("ff02::fb")}};
  EXPECT_THAT(complaint(routed), HasSubstr("never leaves a link"));
}

TEST(Settings, StaticRoutesLeadSomewhereElse) {
  auto with = [](StaticRoute route) {
    auto instance = tv();
    instance.routes = {std::move(route)};
    return complaint(instance);
  };
  EXPECT_EQ(with({.from = "lan",
                  .to = {"wan", "guest"},
                  .group = prefix("239.0.0.0/8"),
                  .source = prefix("10.0.0.0/8")}),
            "");
  EXPECT_THAT(with({.from = "wan", .to = {"attic"}, .group = prefix("239.1.1.1")}), HasSubstr("names attic"));
  EXPECT_THAT(with({.from = "attic", .to = {"lan"}, .group = prefix("239.1.1.1")}), HasSubstr("names attic"));
  EXPECT_THAT(with({.from = "wan", .to = {}, .group = prefix("239.1.1.1")}), HasSubstr("leads nowhere"));
  EXPECT_THAT(with({.from = "wan", .to = {"wan"}, .group = prefix("239.1.1.1")}),
              HasSubstr("from wan back to it"));
  EXPECT_THAT(with({.from = "wan", .to = {"lan"}, .group = prefix("239.1.1.1"), .source = prefix("ff05::1")}),
              HasSubstr("is a group"));
}

TEST(Settings, NumbersHaveSense) {
  auto thresholds = tv();
  thresholds.thresholds = {{"lan", 0}};
  EXPECT_THAT(complaint(thresholds), HasSubstr("the threshold of lan is 0"));
  thresholds.thresholds = {{"attic", 3}};
  EXPECT_THAT(complaint(thresholds), HasSubstr("names attic"));
  auto limits = tv();
  limits.limits.negative = 0;
  EXPECT_THAT(complaint(limits), HasSubstr("a limit of routes is 0"));
  auto ranges = tv();
  ranges.ssm_ranges = {prefix("10.0.0.0/8")};
  EXPECT_THAT(complaint(ranges), HasSubstr("no range of groups"));
}

TEST(Row33_SsmRanges, DefaultsAreTheStandardsAndCanBeChanged) {
  EXPECT_TRUE(any_contains(tv().ssm_ranges, ip("232.1.1.1")));
  EXPECT_TRUE(any_contains(tv().ssm_ranges, ip("ff3e::8000:1")));
  auto own = tv();
  own.ssm_ranges = {prefix("239.232.0.0/16")};
  EXPECT_EQ(complaint(own), "");
}

}  // namespace
}  // namespace hearthcast::proxy
