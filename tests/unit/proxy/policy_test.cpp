#include "appliance/proxy/policy.hpp"

#include <gmock/gmock.h>

namespace hearthcast::proxy {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
Prefix prefix(std::string_view text) { return *Prefix::parse(text); }
SourceFilter include(AddressSet sources) { return {FilterMode::kInclude, std::move(sources)}; }
SourceFilter exclude(AddressSet sources) { return {FilterMode::kExclude, std::move(sources)}; }

InstanceSettings tv() {
  return {.name = "tv", .upstreams = {"wan"}, .downstreams = {"lan", "guest"}, .tunnels = TunnelPolicy::kAll};
}

TEST(Rules, TheFirstThatMatchesDecides) {
  const RuleList rules({{.verdict = Verdict::kDeny, .interface = "lan", .group = prefix("239.1.1.0/24")},
                        {.verdict = Verdict::kAllow, .group = prefix("239.1.0.0/16")},
                        {.verdict = Verdict::kDeny, .source = prefix("10.0.0.0/8")}},
                       Verdict::kAllow);
  EXPECT_FALSE(rules.allows("lan", ip("239.1.1.1"), ip("192.0.2.1")));
  EXPECT_TRUE(rules.allows("guest", ip("239.1.1.1"), ip("10.0.0.1"))) << "the second comes before the third";
  EXPECT_TRUE(rules.allows("lan", ip("239.1.2.1"), ip("10.0.0.1")));
  EXPECT_FALSE(rules.allows("lan", ip("239.2.0.1"), ip("10.0.0.1")));
  EXPECT_TRUE(rules.allows("lan", ip("239.2.0.1"), ip("192.0.2.1"))) << "none matches";
  EXPECT_TRUE(rules.allows("lan", ip("ff05::1"), ip("2001:db8::1")))
      << "a rule of IPv4 sources says nothing of IPv6";
}

TEST(Rules, OtherwiseCanBeDeny) {
  const RuleList rules({{.verdict = Verdict::kAllow, .interface = "lan"}}, Verdict::kDeny);
  EXPECT_TRUE(rules.allows("lan", ip("239.2.0.1"), ip("10.0.0.1")));
  EXPECT_FALSE(rules.allows("guest", ip("239.2.0.1"), ip("10.0.0.1")));
}

TEST(Rules, ReachOverAllSources) {
  struct Case {
    std::vector<Rule> rules;
    Verdict otherwise;
    Reach reach;
  };
  const Rule some_allowed{.verdict = Verdict::kAllow, .source = prefix("10.0.0.0/8")};
  const Rule some_denied{.verdict = Verdict::kDeny, .source = prefix("10.0.0.0/8")};
  const Rule all_denied{.verdict = Verdict::kDeny, .source = prefix("0.0.0.0/0")};
  const Rule all_allowed{.verdict = Verdict::kAllow};
  const Case cases[] = {
      {{}, Verdict::kAllow, Reach::kAll},
      {{}, Verdict::kDeny, Reach::kNone},
      {{some_allowed}, Verdict::kDeny, Reach::kSome},
      {{some_denied}, Verdict::kAllow, Reach::kSome},
      {{some_denied}, Verdict::kDeny, Reach::kNone},
      {{some_allowed}, Verdict::kAllow, Reach::kAll},
      {{some_allowed, all_denied}, Verdict::kAllow, Reach::kSome},
      {{all_denied, some_allowed}, Verdict::kAllow, Reach::kNone},
      {{some_denied, all_allowed}, Verdict::kDeny, Reach::kSome},
  };
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(RuleList(cases[i].rules, cases[i].otherwise).reach("lan", ip("239.1.1.1")), cases[i].reach)
        << i;
  }
}

TEST(Row38_Scope, ScopFieldOfIPv6Groups) {
  EXPECT_EQ(scope_of(ip("ff05::1")), 5U);
  EXPECT_EQ(scope_of(ip("ff3e::1")), 14U);
  EXPECT_EQ(scope_of(ip("239.1.1.1")), std::nullopt);
}

TEST(Row38_Scope, ABoundaryEndsItsScopeAndAllSmallerOnes) {
  const Boundaries boundaries(
      {{.interface = "lan", .scope = 5}, {.interface = "wan", .groups = {prefix("239.255.0.0/16")}}});
  EXPECT_TRUE(boundaries.stop("lan", ip("ff05::1")));
  EXPECT_TRUE(boundaries.stop("lan", ip("ff13::1")));
  EXPECT_FALSE(boundaries.stop("lan", ip("ff08::1")));
  EXPECT_FALSE(boundaries.stop("lan", ip("ff0e::1")));
  EXPECT_FALSE(boundaries.stop("guest", ip("ff05::1")));
  EXPECT_TRUE(boundaries.stop("wan", ip("239.255.1.1")));
  EXPECT_FALSE(boundaries.stop("wan", ip("239.254.1.1")));
  EXPECT_FALSE(boundaries.stop("wan", ip("ff05::1")));
}

TEST(Row39_Sources, OnlyAddressesThatMeanTheSameBeyondTheLink) {
  for (const char* good : {"192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1", "100.64.0.1"}) {
    EXPECT_TRUE(is_forwardable_source(ip(good))) << good;
  }
  for (const char* bad : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.1", "239.1.1.1",
                          "255.255.255.255", "::", "::1", "fe80::1", "ff05::1"}) {
    EXPECT_FALSE(is_forwardable_source(ip(bad))) << bad;
  }
}

TEST(Row24_LinkScope, IsNeverWantedByAnybody) {
  const Policy policy(tv());
  for (const char* group : {"224.0.0.1", "224.0.0.251", "ff01::1", "ff02::fb", "ff00::1", "ff12::1"}) {
    const Restricted link = policy.for_link("lan", ip(group), SourceFilter::any_source());
    EXPECT_TRUE(link.filter.wants_nothing()) << group;
    EXPECT_EQ(link.dropped, Drop::kLinkScope);
    EXPECT_EQ(policy.for_tunnel(ip(group), SourceFilter::any_source()).dropped, Drop::kLinkScope);
  }
  EXPECT_EQ(policy.for_link("lan", ip("192.0.2.1"), SourceFilter::any_source()).dropped, Drop::kNotMulticast);
}

TEST(Row33_SsmRanges, WhoNamesNoSourceGetsNothingThere) {
  const Policy policy(tv());
  const Restricted any = policy.for_link("lan", ip("232.1.1.1"), SourceFilter::any_source());
  EXPECT_TRUE(any.filter.wants_nothing());
  EXPECT_EQ(any.dropped, Drop::kSourceMissing);
  EXPECT_EQ(policy.for_link("lan", ip("ff3e::1"), exclude({ip("2001:db8::1")})).dropped,
            Drop::kSourceMissing);
  const auto named = include({ip("192.0.2.1")});
  EXPECT_EQ(policy.for_link("lan", ip("232.1.1.1"), named).filter, named);
  EXPECT_EQ(policy.for_link("lan", ip("233.1.1.1"), SourceFilter::any_source()).filter,
            SourceFilter::any_source());
}

TEST(Row33_SsmRanges, AreThoseOfTheSettings) {
  auto settings = tv();
  settings.ssm_ranges = {prefix("239.232.0.0/16")};
  const Policy policy(settings);
  EXPECT_EQ(policy.for_link("lan", ip("239.232.1.1"), SourceFilter::any_source()).dropped,
            Drop::kSourceMissing);
  EXPECT_FALSE(policy.for_link("lan", ip("232.1.1.1"), SourceFilter::any_source()).dropped);
}

TEST(Policy, LeavesTheSourcesThatRulesAllow) {
  auto settings = tv();
  settings.rules = {{.verdict = Verdict::kDeny, .interface = "lan", .source = prefix("10.0.0.0/8")}};
  const Policy policy(settings);
  const Restricted some = policy.for_link("lan", ip("239.1.1.1"), include({ip("10.0.0.1"), ip("192.0.2.1")}));
  EXPECT_EQ(some.filter, include({ip("192.0.2.1")}));
  EXPECT_EQ(some.dropped, Drop::kDeniedByRule);
  EXPECT_FALSE(policy.for_link("guest", ip("239.1.1.1"), include({ip("10.0.0.1")})).dropped);
  EXPECT_EQ(policy.for_link("lan", ip("239.1.1.1"), exclude({})).filter, exclude({}))
      << "some sources are allowed";
  EXPECT_EQ(policy.for_link("lan", ip("239.1.1.1"), include({ip("169.254.0.1")})).dropped, Drop::kBadSource);
}

TEST(Policy, AGroupDeniedIsDeniedFromAnySource) {
  auto settings = tv();
  settings.rules = {
      {.verdict = Verdict::kDeny, .interface = std::string(kTunnels), .group = prefix("239.1.0.0/16")}};
  const Policy policy(settings);
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.1"), exclude({})).dropped, Drop::kDeniedByRule);
  EXPECT_EQ(policy.for_tunnel(ip("239.2.1.1"), exclude({})).filter, exclude({}));
  EXPECT_EQ(policy.for_link("lan", ip("239.1.1.1"), exclude({})).filter, exclude({}));
}

TEST(Row38_Scope, BoundariesEndWhatIsAskedForAndWhatIsAllowed) {
  auto settings = tv();
  settings.boundaries = {{.interface = "lan", .groups = {prefix("239.0.0.0/8")}}};
  const Policy policy(settings);
  EXPECT_EQ(policy.for_link("lan", ip("239.1.1.1"), exclude({})).dropped, Drop::kBoundary);
  EXPECT_FALSE(policy.allows("lan", ip("239.1.1.1"), ip("192.0.2.1")));
  EXPECT_EQ(policy.reach("lan", ip("239.1.1.1")), Reach::kNone);
  EXPECT_TRUE(policy.allows("guest", ip("239.1.1.1"), ip("192.0.2.1")));
}

TEST(Row38_Scope, TunnelsPassOnlyChosenChannels) {
  auto settings = tv();
  settings.tunnels = TunnelPolicy::kChosen;
  Policy policy(settings);
  const std::vector<Channel> channels{
      {ip("239.1.1.1"), ip("192.0.2.1")}, {ip("239.1.1.1"), ip("192.0.2.2")}, {ip("239.1.1.2")}};
  policy.choose(channels);
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.3"), exclude({})).dropped, Drop::kNotChosen);
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.2"), exclude({ip("10.0.0.1")})).filter, exclude({ip("10.0.0.1")}));
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.1"), exclude({})).filter,
            include({ip("192.0.2.1"), ip("192.0.2.2")}))
      << "who names no source gets the channel's";
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.1"), exclude({ip("192.0.2.1")})).filter,
            include({ip("192.0.2.2")}));
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.1"), include({ip("192.0.2.9")})).dropped, Drop::kNotChosen);
  EXPECT_EQ(policy.for_link("lan", ip("239.1.1.3"), exclude({})).filter, exclude({}))
      << "links are no tunnels";
  policy.choose({});
  EXPECT_EQ(policy.for_tunnel(ip("239.1.1.1"), exclude({})).dropped, Drop::kNotChosen);
}

TEST(Row38_Scope, AChosenChannelOfASourceSpecificRangeMayBeNamedWithoutItsSource) {
  auto settings = tv();
  settings.tunnels = TunnelPolicy::kChosen;
  Policy policy(settings);
  policy.choose(std::vector<Channel>{{ip("232.1.1.1"), ip("192.0.2.1")}});
  EXPECT_EQ(policy.for_tunnel(ip("232.1.1.1"), exclude({})).filter, include({ip("192.0.2.1")}));
}

TEST(Policy, AnInstanceWithoutTunnelsGivesThemNothing) {
  auto settings = tv();
  settings.tunnels = TunnelPolicy::kNone;
  EXPECT_EQ(Policy(settings).for_tunnel(ip("239.1.1.1"), exclude({})).dropped, Drop::kUnknownDownstream);
}

}  // namespace
}  // namespace hearthcast::proxy
