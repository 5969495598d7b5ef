// Start-up, general queries and the election: checklist rows 8, 12 to 18 and 32.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/link.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::MembershipQuery;
using wire::RecordType;
constexpr std::string_view kGroup = "ff1e::1";

const RouterSettings kIgmp{.family = Family::kIp4};

MembershipQuery general(int version = 2, int robustness = 2, std::chrono::seconds interval = 125s) {
  return {.version = version,
          .max_response = 10s,
          .group = IpAddress::any(Family::kIp6),
          .robustness = static_cast<std::uint8_t>(robustness),
          .query_interval = interval};
}

TEST(Querier, StartsAsQuerierWithStartupQueriesAQuarterIntervalApart) {  // row 12
  Link link;
  link.run(10min);
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{true, ip("fe80::1")}));
  EXPECT_THAT(link.query_times(), ElementsAre(0ms, 31250ms, 156250ms, 281250ms, 406250ms, 531250ms));
}

// A device that says by other means that it is there.
Link quiet_tunnel() {
  Timing timing = tunnel_timing();
  timing.quiet_unless_wanted = true;
  return Link({.timing = timing, .limits = kTunnelLimits, .tracking = Tracking::kPointToPoint}, "fe80::1");
}

TEST(QuietQuerier, AsksNobodyWhileNothingIsWanted) {
  Link link = quiet_tunnel();
  link.run(1h);
  EXPECT_THAT(link.query_times(), ElementsAre(0ms, 2500ms)) << "those of the start";
  EXPECT_FALSE(link.router.status(link.now).next_query);
}

TEST(QuietQuerier, AsksAsOftenAsEverWhileSomethingIs) {
  Link link = quiet_tunnel();
  link.run(1h);
  link.forget();
  link.record(RecordType::kChangeToExclude, kGroup);
  const Time joined = link.now;
  for (int n = 0; n < 5; ++n) {
    link.run(10s);
    const auto asked = link.queries();
    ASSERT_THAT(asked, SizeIs(1));
    EXPECT_EQ(asked[0].at, joined + (n + 1) * 10s);
    link.record(RecordType::kModeIsExclude, kGroup);
  }
  link.record(RecordType::kChangeToInclude, kGroup);
  link.forget();
  link.run(1h);
  EXPECT_THAT(link.queries(), IsEmpty());
}

TEST(QuietQuerier, AsksOnceWhenTheHostIsHeardToBeThere) {
  Link link = quiet_tunnel();
  link.run(1h);
  link.forget();
  link.perform(link.router.ask_if_quiet(link.now));
  EXPECT_THAT(link.queries(), SizeIs(1));
  link.run(1h);
  EXPECT_THAT(link.queries(), IsEmpty());
  link.record(RecordType::kChangeToExclude, kGroup);
  link.perform(link.router.ask_if_quiet(link.now));
  EXPECT_THAT(link.queries(), IsEmpty()) << "it has its turns";
}

TEST(Querier, SendsAsManyStartupQueriesAsItsRobustness) {  // row 12
  Link link({.timing = {.query_interval = 40s, .robustness = 4}});
  link.run(100s);
  EXPECT_THAT(link.query_times(), ElementsAre(0s, 10s, 20s, 30s, 70s));
}

TEST(Querier, ItsMldQueryIsOfTheFormThatHostsRequire) {  // row 13
  Link link;
  link.run(0s);
  const auto sent = link.queries();
  ASSERT_THAT(sent, SizeIs(1));  // the decoder checked hop limit, router alert and checksum
  EXPECT_EQ(sent[0].source, ip("fe80::1"));
  EXPECT_EQ(sent[0].destination, ip("ff02::1"));
  EXPECT_EQ(sent[0].query, general());
}

TEST(Querier, ItsIgmpQueryIsOfTheFormThatHostsRequire) {  // row 13
  Router router(kIgmp, ip("192.168.1.1"), kStart);
  const Actions actions = router.on_deadline(kStart);
  const Buffer& octets = std::get<SendPacket>(actions.at(1)).ip_packet;
  EXPECT_EQ(octets.at(1), 0xC0) << "internetwork control";
  EXPECT_EQ(octets.at(8), 1) << "TTL";
  EXPECT_EQ((Buffer{octets.begin() + 20, octets.begin() + 24}), (Buffer{0x94, 4, 0, 0})) << "router alert";
  EXPECT_EQ((Buffer{octets.begin() + 16, octets.begin() + 20}), (Buffer{224, 0, 0, 1}));
  EXPECT_EQ((Buffer{octets.begin() + 24, octets.begin() + 26}), (Buffer{0x11, 100})) << "10 s in tenths";
  EXPECT_EQ(octets.at(33), 125) << "QQIC";
}

TEST(Querier, IsSilentWithoutALinkLocalAddressAndStartsWithIt) {  // row 14
  Link link({}, nullptr);
  link.record(RecordType::kChangeToExclude, kGroup);
  link.run(100s);
  EXPECT_THAT(link.queries(), IsEmpty());
  EXPECT_THAT(link.queriers(), IsEmpty());
  EXPECT_EQ(link.router.status(link.now).role, QuerierRole::kSilent);
  EXPECT_THAT(link.changes(), SizeIs(1)) << "it listens all the same";
  link.perform(link.router.on_address(ip("fe80::7"), link.now));
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{true, ip("fe80::7")}));
  const auto sent = link.queries();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].at, link.now);
  EXPECT_EQ(sent[0].source, ip("fe80::7"));
}

TEST(Querier, FallsSilentWhenItsAddressGoesAndAsksAnewFromTheNextOne) {  // row 14
  Link link;
  link.settle_down();
  link.perform(link.router.on_address(std::nullopt, link.now));
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{false, std::nullopt}));
  link.run(1h);
  EXPECT_THAT(link.queries(), IsEmpty());
  const Time back = link.now;
  link.perform(link.router.on_address(ip("fe80::9"), link.now));
  link.perform(link.router.on_address(ip("fe80::9"), link.now));  // said twice, done once
  link.run(40s);
  const auto sent = link.queries();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0].at, back);
  EXPECT_EQ(sent[1].at, back + 31250ms);
  EXPECT_EQ(sent[1].source, ip("fe80::9"));
}

TEST(Querier, YieldsToALowerAddressAndResumesAfterItsSilence) {  // rows 8, 15
  Link link({}, "fe80::5");
  link.settle_down();
  const Time heard = link.now;
  link.say(general(), "fe80::2");
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{false, ip("fe80::2")}));
  EXPECT_FALSE(link.router.is_querier());
  link.run_until(heard + 254999ms);
  EXPECT_THAT(link.queries(), IsEmpty());
  EXPECT_THAT(link.queriers(), IsEmpty());
  link.run_until(heard + 255s);  // 2 x 125 s + 10 s / 2
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{true, ip("fe80::5")}));
  EXPECT_THAT(link.queries(), SizeIs(1));
  link.run(125s);
  EXPECT_THAT(link.queries(), SizeIs(1)) << "no start-up queries: the link is not new";
}

TEST(Querier, TakingOverWaitsForAnswersBeforeMembershipsEnd) {  // row 20
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(), "fe80::2");
  link.record(RecordType::kModeIsExclude, kGroup);  // answers at once, and the querier dies
  link.forget();
  link.run(255s);
  ASSERT_THAT(link.queriers(), SizeIs(1));
  link.run(9900ms);  // by the listening interval alone it would be over after 5 s
  EXPECT_THAT(link.changes(), IsEmpty());
  link.record(RecordType::kModeIsExclude, kGroup);
  link.run(125s);
  EXPECT_THAT(link.changes(), IsEmpty());
}

TEST(Querier, MembershipsOutliveAQuerierThatDiedAfterASpecificQuery) {  // row 20
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(), "fe80::2");
  link.record(RecordType::kModeIsExclude, kGroup);
  link.forget();
  link.run(124s);
  link.say(MembershipQuery{.max_response = 1s, .group = ip("ff1e::9"), .robustness = 2}, "fe80::2");
  link.run(255s);  // 119 s longer than the membership
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{true, ip("fe80::5")}));
  EXPECT_THAT(link.changes(), IsEmpty());
  link.run(11s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}})) << "nobody answered";
}

TEST(Querier, EachQueryOfTheOtherRenewsItsClaim) {  // row 15
  Link link({}, "fe80::5");
  link.settle_down();
  for (int i = 0; i < 20; ++i) {
    link.say(general(), "fe80::2");
    link.run(125s);
  }
  EXPECT_THAT(link.queries(), IsEmpty());
  EXPECT_THAT(link.queriers(), SizeIs(1));
}

TEST(Querier, AHigherAddressWinsNothing) {  // row 15
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(), "fe80::6");
  link.run(125s);
  EXPECT_THAT(link.queriers(), IsEmpty());
  EXPECT_THAT(link.queries(), SizeIs(1));
  EXPECT_EQ(link.router.counters().queries_heard, 1U);
}

TEST(Querier, AQueryFromNoAddressWinsNothing) {  // row 15
  Link link(kIgmp);
  link.settle_down();
  link.say(MembershipQuery{.version = 3, .max_response = 10s, .group = IpAddress()}, "0.0.0.0");
  EXPECT_THAT(link.queriers(), IsEmpty());
  EXPECT_TRUE(link.router.is_querier());
  EXPECT_EQ(link.router.counters().unspecified_queries, 1U);
}

TEST(Querier, ItsOwnQueryComingBackIsCountedAndChangesNothing) {
  Link link(kIgmp);
  link.settle_down();
  link.say(MembershipQuery{.version = 3, .max_response = 10s, .group = IpAddress()}, "192.168.1.1");
  EXPECT_THAT(link.queriers(), IsEmpty());
  EXPECT_EQ(link.router.counters().own_queries, 1U);
  EXPECT_EQ(link.router.counters().queries_heard, 0U);
}

TEST(Querier, ComparesIp4AddressesForIgmp) {  // row 15
  Link link(kIgmp, "192.168.1.10");
  link.settle_down();
  link.say(MembershipQuery{.version = 3, .max_response = 10s, .group = IpAddress()}, "192.168.1.100");
  EXPECT_THAT(link.queriers(), IsEmpty());
  link.say(MembershipQuery{.version = 3, .max_response = 10s, .group = IpAddress()}, "192.168.1.9");
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{false, ip("192.168.1.9")}));
}

TEST(Querier, ANewAddressBelowTheOthersTakesOver) {  // row 15
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(), "fe80::2");
  link.forget();
  link.perform(link.router.on_address(ip("fe80::3"), link.now));
  EXPECT_THAT(link.queriers(), IsEmpty()) << "not low enough";
  link.perform(link.router.on_address(ip("fe80::1"), link.now));
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{true, ip("fe80::1")}));
  EXPECT_THAT(link.queries(), SizeIs(1));
}

TEST(Querier, WithoutAnAddressAnyOtherRouterIsQuerier) {
  Link link({}, nullptr);
  link.say(general(), "fe80::99");
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{false, ip("fe80::99")}));
  link.run(255s);
  EXPECT_THAT(link.queriers(), ElementsAre(QuerierChanged{false, std::nullopt}));
}

TEST(Querier, AdoptsTheElectedQueriersValuesAndDropsThemWithIt) {  // row 16
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(2, 4, 60s), "fe80::2");
  auto status = link.router.status(link.now);
  EXPECT_EQ(status.robustness, 4);
  EXPECT_EQ(status.query_interval, 60s);
  EXPECT_EQ(status.querier_expires, 245s);  // 4 x 60 s + 10 s / 2
  link.record(RecordType::kChangeToExclude, kGroup);
  EXPECT_EQ(link.router.status(link.now).groups.at(0).expires, 250s);
  link.run(245s);
  status = link.router.status(link.now);
  EXPECT_EQ(status.role, QuerierRole::kSelf);
  EXPECT_EQ(status.robustness, 2);
  EXPECT_EQ(status.query_interval, 125s);
}

TEST(Querier, WhatAQueryDoesNotTellIsTakenFromTheSettings) {  // row 16
  Link link({.timing = {.query_interval = 100s, .robustness = 3}}, "fe80::5");
  link.settle_down();
  link.say(general(2, 0, 0s), "fe80::2");
  EXPECT_EQ(link.router.status(link.now).robustness, 3);
  EXPECT_EQ(link.router.status(link.now).query_interval, 100s);
}

TEST(Querier, FollowsMembershipsWhileAnotherAsks) {  // row 16
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(), "fe80::2");
  link.record(RecordType::kChangeToExclude, kGroup);
  link.record(RecordType::kChangeToInclude, kGroup);
  link.run(100s);
  EXPECT_THAT(link.queries(), IsEmpty()) << "a leave is the querier's to ask about";
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), exclude()}));
  link.say(general(), "fe80::2");
  link.run(100s);
  link.say(general(), "fe80::2");
  link.run(60s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
}

TEST(Querier, TellsAndTakesLongTimesInFloatingPointForm) {  // row 17
  Link link({.timing = {.query_interval = 3840s, .query_response_interval = 512s}}, "fe80::5");
  link.run(0s);
  EXPECT_EQ(link.queries().at(0).query.query_interval, 3840s);  // above 127: exponent and mantissa
  link.say(MembershipQuery{.version = 2,
                           .max_response = 131'072ms,  // above 32767
                           .group = ip("::"),
                           .robustness = 2,
                           .query_interval = 31'744s},
           "fe80::2");
  const auto status = link.router.status(link.now);
  EXPECT_EQ(status.query_interval, 31'744s);
  EXPECT_EQ(status.query_response_interval, 131'072ms);
  EXPECT_EQ(status.querier_expires, 2 * 31'744s + 65'536ms);
  Link igmp(
      {.family = Family::kIp4, .timing = {.query_interval = 3840s, .query_response_interval = 102'400ms}});
  igmp.run(0s);
  const MembershipQuery query = igmp.queries().at(0).query;
  EXPECT_EQ(query.query_interval, 3840s);
  EXPECT_EQ(query.max_response, 102'400ms);
}

TEST(Querier, AQueryOfTheOtherLowersTimersUnlessItSaysNotTo) {  // row 18
  Link link({}, "fe80::5");
  link.settle_down();
  link.say(general(), "fe80::2");
  link.record(RecordType::kChangeToExclude, kGroup);
  link.record(RecordType::kAllowNewSources, "ff1e::2", {"2001:db8::a", "2001:db8::b"});
  MembershipQuery query{.max_response = 1s, .group = ip(kGroup), .suppress = true, .robustness = 2};
  link.say(query, "fe80::2");
  EXPECT_EQ(link.router.status(link.now).groups.at(0).expires, 260s);
  query.suppress = false;
  link.say(query, "fe80::2");
  EXPECT_EQ(link.router.status(link.now).groups.at(0).expires, 2s);
  query.group = ip("ff1e::2");
  query.sources = {ip("2001:db8::a")};
  query.max_response = 3s;
  link.say(query, "fe80::2");
  const auto sources = link.router.status(link.now).groups.at(1).sources;
  EXPECT_EQ(sources.at(0).expires, 6s);
  EXPECT_EQ(sources.at(1).expires, 260s);
  link.say(general(), "fe80::2");
  EXPECT_EQ(link.router.status(link.now).groups.at(1).sources.at(1).expires, 260s);
}

TEST(Querier, ActsInAnOlderVersionWhereItIsSetTo) {  // row 32
  for (const int version : {1, 2}) {
    Link link({.family = Family::kIp4, .querier_version = version});
    link.run(0s);
    const auto query = link.queries().at(0).query;
    EXPECT_EQ(query.version, version);
    EXPECT_EQ(query.max_response, version == 1 ? 0s : 10s);
  }
  Link link({.querier_version = 1});
  link.run(0s);
  EXPECT_EQ(link.queries().at(0).query,
            (MembershipQuery{.version = 1, .max_response = 10s, .group = ip("::")}));
}

TEST(Querier, NoticesARouterOfAnotherVersion) {
  Link link({}, "fe80::5");
  link.say(general(1), "fe80::2");
  EXPECT_EQ(link.router.counters().other_version_queries, 1U);
  EXPECT_EQ(link.router.status(link.now).querier_version, 1);
  link.say(general(2), "fe80::2");
  EXPECT_EQ(link.router.counters().other_version_queries, 1U);
}

TEST(Querier, NewSettingsAreToldAtOnceAndKeepMemberships) {
  Link link;
  link.settle_down();
  link.record(RecordType::kChangeToExclude, kGroup);
  link.perform(link.router.on_settings({}, link.now));
  EXPECT_THAT(link.queries(), IsEmpty()) << "nothing new";
  link.perform(link.router.on_settings({.timing = {.query_interval = 60s}}, link.now));
  EXPECT_EQ(link.queries().at(0).query.query_interval, 60s);
  link.perform(link.router.on_settings({.timing = {.query_interval = 60s}, .querier_version = 1}, link.now));
  EXPECT_EQ(link.queries().at(0).query.version, 1);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), exclude()}));
}

}  // namespace
}  // namespace hearthcast::membership
