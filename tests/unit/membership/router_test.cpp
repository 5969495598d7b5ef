// A router as a whole: link events, tunnels, status, and long times. Checklist rows 3, 12, 20, 23, 42 and 45.
#include "tunnelmgr/membership/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/link.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using wire::RecordType;
constexpr std::string_view kGroup = "ff3e::8000:1";
constexpr std::string_view kAny = "ff1e::2";
constexpr std::string_view kSource = "2001:db8::1";

TEST(Router, StateEndsWhenNobodyConfirmsIt) {  // row 23
  Link link;
  link.record(kAllow, kGroup, {kSource});
  link.record(kToEx, kAny);
  link.forget();
  link.run_until(kStart + 259999ms);
  EXPECT_THAT(link.changes(), IsEmpty());
  link.run_until(kStart + 260s);
  EXPECT_THAT(link.changes(),
              UnorderedElementsAre(FilterChanged{ip(kGroup), {}}, FilterChanged{ip(kAny), {}}));
  EXPECT_THAT(link.router.status(link.now).groups, IsEmpty());
}

TEST(Router, ThreeMonthsOfAnswersChangeNothing) {  // rows 12, 20
  Link link({.timing = {.query_interval = 3600s}});
  link.run(1h);
  link.record(kAllow, kGroup, {kSource});
  link.record(kToEx, kAny, {"2001:db8::bad"});
  link.forget();
  int queries = 0;
  for (int hour = 0; hour < 90 * 24; ++hour) {
    link.run(1h);
    queries += static_cast<int>(link.queries().size());
    if (hour % 2 == 0) {  // every second answer is lost
      link.record(kIsIn, kGroup, {kSource});
      link.record(kIsEx, kAny, {"2001:db8::bad"});
    }
  }
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(queries, 90 * 24) << "one each hour, no more and no fewer";
  EXPECT_EQ(link.router.filter(ip(kAny)), exclude({"2001:db8::bad"}));
}

TEST(Router, AStormOfReportsLosesNoState) {
  Link link({.limits = {.groups = 200, .sources = 10}});
  link.settle_down();
  const auto report = [](int group, RecordType type) {
    wire::GroupRecord record{type, ip("ff1e::" + std::to_string(group))};
    for (int source = 0; source < 10; ++source) {
      record.sources.push_back(ip("2001:db8::" + std::to_string(source)));
    }
    return packet(wire::MembershipReport{{record}}, ip("fe80::5" + std::to_string(group % 5)));
  };
  for (int group = 0; group < 200; ++group) {
    link.perform(link.router.on_packet(report(group, kAllow), link.now));
  }
  EXPECT_THAT(link.changes(), SizeIs(200));
  for (int i = 0; i < 2000; ++i) {  // at 10,000 a second
    link.now += 100us;
    link.perform(link.router.on_packet(report(i % 200, kIsIn), link.now));
    ASSERT_GT(link.router.next_deadline(), link.now);
  }
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.counters().reports, 2200U);
  const RouterStatus status = link.router.status(link.now);
  ASSERT_THAT(status.groups, SizeIs(200));
  for (const GroupStatus& group : status.groups) {
    EXPECT_THAT(group.sources, SizeIs(10));
    EXPECT_GE(group.sources.front().expires, 259s);
  }
}

TEST(Router, ALostLinkIsLeftAtOnceAndAskedAtOnceWhenItReturns) {  // row 42
  Link link;
  link.settle_down();
  link.record(kAllow, kGroup, {kSource});
  link.record(kToEx, kAny);
  link.forget();
  link.perform(link.router.on_link(false, link.now));
  EXPECT_THAT(link.changes(),
              UnorderedElementsAre(FilterChanged{ip(kGroup), {}}, FilterChanged{ip(kAny), {}}));
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{false, std::nullopt}));
  EXPECT_EQ(link.router.next_deadline(), kNever);
  link.record(kToEx, kAny);
  EXPECT_THAT(link.changes(), IsEmpty()) << "late packets of a link that is gone";
  link.run(1h);
  const Time back = link.now;
  link.perform(link.router.on_link(true, link.now));
  link.perform(link.router.on_link(true, link.now));
  link.run(40s);
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{true, ip("fe80::1")}));
  EXPECT_THAT(link.query_times(), ElementsAre(back - kStart, back - kStart + 31250ms));
}

TEST(Router, CloseLeavesEverythingAndIsTheEnd) {
  Link link;
  link.record(kAllow, kGroup, {kSource});
  link.record(kToEx, kAny);
  EXPECT_THAT(link.router.close(),
              UnorderedElementsAre(FilterChanged{ip(kGroup), {}}, FilterChanged{ip(kAny), {}}));
  EXPECT_THAT(link.router.close(), IsEmpty());
  EXPECT_EQ(link.router.next_deadline(), kNever);
  EXPECT_FALSE(link.router.is_querier());
  EXPECT_THAT(link.router.on_packet(packet(one(kToEx, kAny)), link.now), IsEmpty());
  EXPECT_THAT(link.router.on_link(true, link.now), ElementsAre(QuerierChanged{false, std::nullopt}));
}

TEST(Router, SendsNothingButQueries) {  // row 3
  Link link;                            // Link fails the test at anything else
  link.record(kToEx, kAny);
  link.record(kAllow, kGroup, {kSource});
  link.record(kToIn, kGroup);
  link.say(wire::MembershipQuery{.version = 2, .max_response = 1s, .group = ip("::")}, "fe80::9");
  link.run(1h);
  EXPECT_GT(link.queries().size(), 28U);
}

TEST(Router, StatusTellsAll) {
  Link link;
  link.settle_down();
  link.record(kToEx, kAny, {"2001:db8::bad"}, "fe80::51");
  link.run(10s);
  link.record(kAllow, kAny, {kSource}, "fe80::52");
  link.run(5s);
  const RouterStatus status = link.router.status(link.now);
  EXPECT_EQ(status.role, QuerierRole::kSelf);
  EXPECT_EQ(status.querier, ip("fe80::1"));
  EXPECT_EQ(status.querier_version, 2);
  EXPECT_EQ(status.querier_expires, std::nullopt);
  ASSERT_TRUE(status.next_query);
  EXPECT_EQ(link.now + *status.next_query, link.router.next_deadline());
  ASSERT_THAT(status.groups, SizeIs(1));
  const GroupStatus& group = status.groups[0];
  EXPECT_EQ(group.group, ip(kAny));
  EXPECT_EQ(group.mode, FilterMode::kExclude);
  EXPECT_EQ(group.expires, 245s);
  EXPECT_EQ(group.age, 15s);
  EXPECT_EQ(group.version, 2);
  EXPECT_EQ(group.last_reporter, ip("fe80::52"));
  EXPECT_FALSE(group.asking);
  ASSERT_THAT(group.sources, SizeIs(2));
  EXPECT_EQ(group.sources[0].address, ip(kSource));
  EXPECT_TRUE(group.sources[0].forwarded);
  EXPECT_EQ(group.sources[0].expires, 255s);
  EXPECT_FALSE(group.sources[1].forwarded);
  EXPECT_EQ(group.sources[1].expires, std::nullopt);
  ASSERT_THAT(group.listeners, SizeIs(2));
  EXPECT_EQ(group.listeners[0].address, ip("fe80::51"));
  EXPECT_EQ(group.listeners[0].filter, exclude({"2001:db8::bad"}));
  EXPECT_EQ(group.listeners[0].heard, 15s);
  EXPECT_EQ(group.listeners[1].filter, include({kSource}));
  link.record(kToIn, kAny, {}, "fe80::51");
  EXPECT_TRUE(link.router.status(link.now).groups[0].asking);
}

TEST(Router, TracksNobodyWhenToldSo) {
  Link link({.tracking = Tracking::kNone, .fast_leave = true});
  link.settle_down();
  link.record(kToEx, kAny);
  EXPECT_THAT(link.router.status(link.now).groups.at(0).listeners, IsEmpty());
  link.forget();
  link.record(kToIn, kAny);
  EXPECT_THAT(link.changes(), IsEmpty()) << "a fast leave needs to know who is there";
}

TEST(Router, EachDropReasonHasAName) {  // row 21
  RouterCounters counters;
  counters.over_limit = 7;
  counters.dropped.at(0) = 3;
  const auto reasons = drop_reasons(counters);
  std::set<std::string_view> names;
  std::uint64_t sum = 0;
  for (const NamedCount& reason : reasons) {
    names.insert(reason.name);
    sum += reason.count;
  }
  EXPECT_EQ(names.size(), reasons.size());
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(sum, 10U);
}

const RouterSettings kTunnel{.timing = tunnel_timing(),
                             .limits = kTunnelLimits,
                             .tracking = Tracking::kPointToPoint,
                             .ssm_from_any_source = true};

TEST(TunnelRouter, QueriesAtOnceAndThenEveryTenSeconds) {  // row 12
  Link link(kTunnel);
  link.run(40s);
  EXPECT_THAT(link.query_times(), ElementsAre(0ms, 2500ms, 12500ms, 22500ms, 32500ms));
}

TEST(TunnelRouter, RepeatsAQueryUntilItIsAnswered) {
  Link link(kTunnel);
  link.run(3s);
  link.record(kToIn, kGroup, {kSource});
  link.forget();
  link.run_until(kStart + 13600ms);
  EXPECT_THAT(link.query_times(), ElementsAre(12500ms, 13000ms, 13500ms));
  link.record(kIsIn, kGroup, {kSource});
  link.run_until(kStart + 22500ms);
  EXPECT_THAT(link.query_times(), ElementsAre(22500ms));
}

TEST(TunnelRouter, RepeatsNoQueryWhileNothingIsWanted) {
  Link link(kTunnel);
  link.run(12900ms);
  link.record(kToIn, kGroup, {kSource});  // new: needs no confirmation yet
  link.forget();
  link.run(9s);
  EXPECT_THAT(link.queries(), IsEmpty());
}

TEST(TunnelRouter, ALateTimerRepeatsOnceNotThrice) {
  Link link(kTunnel);
  link.run(3s);
  link.record(kToIn, kGroup, {kSource});
  link.run_until(kStart + 12500ms);
  link.forget();
  link.now = kStart + 18s;
  link.perform(link.router.on_deadline(link.now));
  EXPECT_THAT(link.queries(), SizeIs(1));
  EXPECT_EQ(link.router.next_deadline(), kStart + 22500ms);
}

TEST(TunnelRouter, ALeaveEndsAtOnceWithoutAQuestion) {  // row 45
  Link link(kTunnel);
  link.run(3s);
  link.record(kToIn, kGroup, {kSource});
  link.forget();
  link.record(kToIn, kGroup);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
  link.record(kToIn, kGroup);
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_THAT(link.queries(), IsEmpty());
  link.say(wire::OldReport{1, ip(kAny)}, "fe80::50");
  link.say(wire::OldLeave{ip(kAny)}, "fe80::50");
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kAny), exclude()}, FilterChanged{ip(kAny), {}}));
}

TEST(TunnelRouter, AChangeOfModeIsOneChange) {
  Link link(kTunnel);
  link.record(kToIn, kGroup, {kSource});
  link.record(kToEx, kGroup);
  link.record(kToIn, kGroup, {kSource});
  EXPECT_THAT(link.changes(),
              ElementsAre(FilterChanged{ip(kGroup), include({kSource})}, FilterChanged{ip(kGroup), exclude()},
                          FilterChanged{ip(kGroup), include({kSource})}));
}

TEST(TunnelRouter, IsQuerierWhateverTheOtherEndSends) {
  Link link(kTunnel, "fe80::9");
  link.run(0s);
  link.forget();
  link.say(wire::MembershipQuery{.version = 2, .max_response = 10s, .group = ip("::")}, "fe80::1");
  EXPECT_THAT(link.queriers(), IsEmpty());
  EXPECT_EQ(link.router.counters().queries_of_hosts, 1U);
}

TEST(TunnelRouter, AsksInIgmpFromNoAddress) {
  RouterSettings settings = kTunnel;
  settings.family = Family::kIp4;
  Link link(settings, "0.0.0.0");
  link.run(0s);
  const auto sent = link.queries();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].source, ip("0.0.0.0"));
  EXPECT_EQ(sent[0].query.version, 3);
  link.record(kToEx, "239.1.1.1", {}, "0.0.0.0");
  link.record(kToIn, "239.1.1.1", {}, "0.0.0.0");
  EXPECT_THAT(link.changes(), SizeIs(2));
}

TEST(TunnelRouter, StateExpiresAfterTwoMissedQueriesAndTheResponse) {  // row 23
  Link link(kTunnel);
  link.record(kToIn, kGroup, {kSource});
  link.forget();
  link.run_until(kStart + 21999ms);
  EXPECT_THAT(link.changes(), IsEmpty());
  link.run_until(kStart + 22s);
  EXPECT_THAT(link.changes(), SizeIs(1));
}

}  // namespace
}  // namespace hearthcast::membership
