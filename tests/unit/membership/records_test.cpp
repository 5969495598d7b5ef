// Which packets and records a router heeds, and how it counts the others: checklist rows 5, 21, 22, 24 to 27.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/link.hpp"
#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/igmp.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"
#include "tunnelmgr/wire/mld.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::MembershipError;
using wire::RecordType;
constexpr std::string_view kGroup = "ff1e::1";
constexpr std::string_view kA = "2001:db8::a";
constexpr std::string_view kB = "2001:db8::b";
const RouterSettings kIgmp{.family = Family::kIp4};

struct Records : testing::Test {
  std::uint64_t dropped(MembershipError e) const {
    return link.router.counters().dropped.at(static_cast<std::size_t>(e));
  }
  // A report as given, with the header as given.
  Buffer mld(const wire::Ip6Header& header, const wire::MembershipMessage& message = one(kToEx, kGroup)) {
    const auto encoded = wire::encode_mld(message);
    wire::Ip6Header h = header;
    h.next_header = wire::kProtocolIcmp6;
    h.destination = wire::kAllMld2Routers;
    return wire::encode_ip6(h, wire::encode_icmp6({encoded.type, 0, encoded.body}, h.source, h.destination));
  }
  void hear(const Buffer& octets) { link.perform(link.router.on_packet(octets, link.now)); }
  Link link;
};

TEST_F(Records, AJoinIsToldOnceHoweverOftenItIsReported) {  // row 5
  link.record(kAllow, kGroup, {kA}, "fe80::51");
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kA})}));
  link.record(kAllow, kGroup, {kA}, "fe80::51");
  link.record(kAllow, kGroup, {kA}, "fe80::52");
  link.record(RecordType::kModeIsInclude, kGroup, {kA}, "fe80::53");
  EXPECT_THAT(link.changes(), IsEmpty());
  link.record(kAllow, kGroup, {kB}, "fe80::52");
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kA, kB})}));
}

TEST_F(Records, PacketsAreDroppedByReasonAndCounted) {  // row 21
  const wire::Ip6Header good{.hop_limit = 1, .source = ip("fe80::2"), .router_alert = true};
  wire::Ip6Header bad = good;
  bad.hop_limit = 2;
  hear(mld(bad));
  EXPECT_EQ(dropped(MembershipError::kHopLimit), 1U);
  bad = good;
  bad.router_alert = false;
  hear(mld(bad));
  EXPECT_EQ(dropped(MembershipError::kNoRouterAlert), 1U);
  bad = good;
  bad.source = ip("2001:db8::2");
  hear(mld(bad));
  EXPECT_EQ(dropped(MembershipError::kSource), 1U);
  bad.source = ip("::");
  hear(mld(bad));
  EXPECT_EQ(dropped(MembershipError::kUnspecifiedSource), 1U);
  Buffer changed = mld(good);
  changed.back() ^= 1;
  hear(changed);
  EXPECT_EQ(dropped(MembershipError::kBadChecksum), 1U);
  hear({});
  EXPECT_EQ(dropped(MembershipError::kMalformed), 1U);
  hear(wire::encode_ip6({.next_header = 17, .hop_limit = 1, .source = ip("fe80::2")}, {}));
  EXPECT_EQ(dropped(MembershipError::kNotMembership), 1U);
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.counters().reports, 0U);
  hear(mld(good));
  EXPECT_THAT(link.changes(), SizeIs(1));
}

TEST(RecordsIgmp, AReportFromNoAddressIsTakenAndOneWithoutRouterAlertIsNot) {  // row 21
  Link link(kIgmp);
  link.record(kToEx, "239.1.1.1", {}, "0.0.0.0");
  EXPECT_THAT(link.changes(), SizeIs(1));
  const Buffer bare = wire::encode_ip4({.ttl = 1,
                                        .protocol = wire::kProtocolIgmp,
                                        .source = ip("192.168.1.5"),
                                        .destination = wire::kAllIgmp3Routers},
                                       wire::encode_igmp(one(kToEx, "239.1.1.2")));
  link.perform(link.router.on_packet(bare, link.now));
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.counters().dropped.at(static_cast<std::size_t>(MembershipError::kNoRouterAlert)), 1U);
}

TEST_F(Records, ThoseOfTheOtherFamilyAreNotOurs) {
  hear(packet(one(kToEx, "239.1.1.1"), ip("192.168.1.5")));
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.counters().reports, 0U);
}

TEST_F(Records, AnUnknownTypeIsSkippedAloneNotItsPacket) {  // row 22
  link.say(wire::MembershipReport{{{static_cast<wire::RecordType>(7), ip("ff1e::7"), {ip(kA)}},
                                   {kAllow, ip(kGroup), {ip(kA)}},
                                   {static_cast<wire::RecordType>(0), ip("ff1e::8"), {}}}},
           "fe80::51");
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kA})}));
  EXPECT_EQ(link.router.counters().ignored_records, 2U);
}

TEST_F(Records, LinkScopeGroupsAndNoGroupsMakeNoState) {  // row 24
  for (const char* group : {"ff00::1", "ff01::1", "ff02::fb", "ff12::1", "2001:db8::1", "::"}) {
    link.record(kToEx, group);
    EXPECT_THAT(link.changes(), IsEmpty()) << group;
  }
  EXPECT_EQ(link.router.counters().ignored_groups, 6U);
  Link igmp(kIgmp);
  for (const char* group : {"224.0.0.1", "224.0.0.251", "224.0.0.255", "192.0.2.1"}) {
    igmp.record(kToEx, group);
    igmp.say(wire::OldReport{2, ip(group)}, "192.168.1.5");
    EXPECT_THAT(igmp.changes(), IsEmpty()) << group;
  }
  igmp.record(kToEx, "224.0.1.1");
  EXPECT_THAT(igmp.changes(), SizeIs(1));
}

TEST_F(Records, ALengthThatLiesIsRefusedAndAuxiliaryDataSkipped) {  // row 25
  const auto report = [&](std::uint8_t auxiliary_words, std::uint8_t sources, std::size_t octets_after) {
    Buffer body{0, 0, 0, 1, static_cast<std::uint8_t>(kToEx), auxiliary_words, 0, sources};
    const IpAddress group = ip(kGroup);
    body.insert(body.end(), group.bytes().begin(), group.bytes().end());
    body.resize(body.size() + octets_after, 0xAB);
    return wire::encode_ip6(
        {.next_header = wire::kProtocolIcmp6,
         .hop_limit = 1,
         .source = ip("fe80::2"),
         .destination = wire::kAllMld2Routers,
         .router_alert = true},
        wire::encode_icmp6({wire::kMldV2Report, 0, body}, ip("fe80::2"), wire::kAllMld2Routers));
  };
  hear(report(0, 1, 15));
  hear(report(0, 200, 16));
  hear(report(3, 0, 11));
  EXPECT_EQ(dropped(MembershipError::kMalformed), 3U);
  EXPECT_THAT(link.changes(), IsEmpty());
  hear(report(3, 0, 12));
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), exclude()}));
}

TEST_F(Records, SourcesThatCanBeNoneAreLeftOut) {  // row 26
  link.record(kAllow, kGroup, {"ff1e::9", "::", "::1"});
  EXPECT_THAT(link.changes(), IsEmpty()) << "no sources at all";
  link.record(kAllow, kGroup, {"ff1e::9", kA, "::"});
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kA})}));
  EXPECT_EQ(link.router.counters().ignored_sources, 5U);
}

struct RecordLimits : testing::Test {
  Link link{{.limits = {.groups = 3, .sources = 4}}};
};

TEST_F(RecordLimits, OneGroupTooManyIsRefusedAndTheOthersGoOn) {  // row 27
  for (const char* group : {"ff1e::1", "ff1e::2", "ff1e::3"}) {
    link.record(kToEx, group);
  }
  EXPECT_THAT(link.changes(), SizeIs(3));
  link.record(kAllow, "ff1e::4", {kA});
  link.record(kToEx, "ff1e::4");
  EXPECT_THAT(link.refusals(),
              ElementsAre(OverLimit{ip("ff1e::4"), ip(kA)}, OverLimit{ip("ff1e::4"), std::nullopt}));
  link.record(kAllow, "ff1e::1", {kA});
  EXPECT_THAT(link.refusals(), IsEmpty());
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.counters().over_limit, 2U);
  link.record(kToIn, "ff1e::1");
  link.run(2s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip("ff1e::1"), {}}));
  link.forget();
  link.record(kAllow, "ff1e::4", {kA});
  EXPECT_THAT(link.changes(), SizeIs(1)) << "there is room again";
}

TEST_F(RecordLimits, SourcesTooManyAreRefusedAndTheOthersGoOn) {  // row 27
  link.record(kAllow, kGroup, {"2001:db8::1", "2001:db8::2", "2001:db8::3"});
  link.record(kAllow, kGroup, {"2001:db8::2", "2001:db8::4", "2001:db8::5", "2001:db8::6"});
  EXPECT_THAT(link.refusals(), ElementsAre(OverLimit{ip(kGroup), ip("2001:db8::5")}))
      << "once for the record";
  EXPECT_EQ(link.router.counters().over_limit, 2U);
  EXPECT_EQ(link.router.filter(ip(kGroup)),
            include({"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"}));
}

TEST_F(RecordLimits, BlocksCannotFillTheStateEither) {  // row 27
  link.record(kToEx, kGroup);
  for (int i = 1; i < 100; ++i) {
    link.record(kBlock, kGroup, {"2001:db8::" + std::to_string(i)});
    EXPECT_LE(link.router.status(link.now).groups.at(0).sources.size(), 4U);
  }
  EXPECT_EQ(link.router.counters().over_limit, 95U);
  EXPECT_TRUE(link.router.filter(ip(kGroup)).admits(ip("2001:db8::99"))) << "refused means: still forwarded";
}

TEST_F(RecordLimits, HostsThatTakeTurnsCannotFillTheTrackingEither) {  // row 27
  for (int i = 0; i < 200; ++i) {
    link.record(kAllow, kGroup, {"2001:db8:1::" + std::to_string(i)}, "fe80::51");
    link.record(kToEx, kGroup, {}, "fe80::52");
  }
  const RouterStatus status = link.router.status(link.now);
  for (const ListenerStatus& listener : status.groups.at(0).listeners) {
    EXPECT_LE(listener.filter.sources.size(), 4U);
  }
}

}  // namespace
}  // namespace hearthcast::membership
