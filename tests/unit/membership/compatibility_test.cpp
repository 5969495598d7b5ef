// Hosts of older versions, and source-specific groups: checklist rows 28, 29, 33 and 34.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/link.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::OldLeave;
using wire::OldReport;
using wire::RecordType;
constexpr std::string_view kGroup6 = "ff1e::1";
constexpr std::string_view kGroup4 = "239.1.1.1";
constexpr std::string_view kOld6 = "fe80::70";
constexpr std::string_view kOld4 = "192.168.1.70";

int version(const Link& link) { return link.router.status(link.now).groups.at(0).version; }

TEST(Compatibility, AnMld1ReportWantsAnySourceAndADoneIsAskedAbout) {  // row 28
  Link link;
  link.settle_down();
  link.say(OldReport{1, ip(kGroup6)}, kOld6);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup6), exclude()}));
  link.say(OldLeave{ip(kGroup6)}, kOld6);
  link.run(2s);
  EXPECT_THAT(link.queries(), SizeIs(2));
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup6), {}}));
}

TEST(Compatibility, AnIgmp2ReportWantsAnySourceAndALeaveIsAskedAbout) {  // row 28
  Link link({.family = Family::kIp4});
  link.settle_down();
  link.say(OldReport{2, ip(kGroup4)}, kOld4);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup4), exclude()}));
  link.say(OldLeave{ip(kGroup4)}, kOld4);
  EXPECT_EQ(link.queries().at(0).query.version, 3) << "the querier keeps to its own version";
  link.run(1s);
  link.say(OldReport{2, ip(kGroup4)}, "192.168.1.71");
  link.run(100s);
  EXPECT_THAT(link.changes(), IsEmpty()) << "a second listener answered";
}

TEST(Compatibility, Igmp1ListenersGoOnlyByTime) {  // row 28
  Link link({.family = Family::kIp4});
  link.settle_down();
  link.say(OldReport{1, ip(kGroup4)}, kOld4);
  const Time last = link.now;
  link.forget();
  link.run(5s);
  link.say(OldLeave{ip(kGroup4)}, kOld4);
  link.record(kToIn, kGroup4);
  EXPECT_THAT(link.queries(), IsEmpty());
  EXPECT_EQ(link.router.counters().ignored_for_older_hosts, 2U);
  link.run_until(last + 259999ms);
  EXPECT_THAT(link.changes(), IsEmpty());
  link.run_until(last + 260s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup4), {}}));
}

TEST(Compatibility, AnOlderListenerMakesBlockAndExcludedSourcesVoid) {  // row 29
  Link link;
  link.settle_down();
  link.say(OldReport{1, ip(kGroup6)}, kOld6);
  EXPECT_EQ(version(link), 1);
  link.forget();
  link.record(kBlock, kGroup6, {"2001:db8::a"});
  link.record(kToEx, kGroup6, {"2001:db8::a"});
  link.run(100s);
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.filter(ip(kGroup6)), exclude());
  EXPECT_EQ(link.router.counters().ignored_for_older_hosts, 2U);
}

TEST(Compatibility, TheGroupReturnsWhenTheOlderListenerHasBeenSilentLongEnough) {  // row 29
  Link link({.family = Family::kIp4});
  link.settle_down();
  link.say(OldReport{1, ip(kGroup4)}, kOld4);
  link.run(100s);
  link.say(OldReport{2, ip(kGroup4)}, "192.168.1.71");
  EXPECT_EQ(version(link), 1) << "the oldest counts";
  link.run(160s);
  EXPECT_EQ(version(link), 2);
  link.record(kToEx, kGroup4);
  link.run(100s);
  EXPECT_EQ(version(link), 3);
  link.forget();
  link.record(kToEx, kGroup4, {"192.0.2.1"});
  link.run(2s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup4), exclude({"192.0.2.1"})}));
}

TEST(Compatibility, GroupsOfOlderListenersDoNotBindOthers) {  // row 29
  Link link;
  link.settle_down();
  link.say(OldReport{1, ip(kGroup6)}, kOld6);
  link.record(kToEx, "ff1e::2", {"2001:db8::a"});
  EXPECT_EQ(link.router.filter(ip("ff1e::2")), exclude({"2001:db8::a"}));
}

TEST(Compatibility, TranslatesRecordsByVersion) {  // row 29
  const std::vector<IpAddress> sources{ip("192.0.2.1")};
  const auto translated = [&](RecordType type, int version) {
    return translate({type, ip(kGroup4), sources}, Family::kIp4, version);
  };
  for (const auto type : {kToIn, kToEx, kAllow, kBlock}) {
    EXPECT_EQ(translated(type, 3), (wire::GroupRecord{type, ip(kGroup4), sources}));
  }
  EXPECT_EQ(translated(kToEx, 2), (wire::GroupRecord{kToEx, ip(kGroup4)}));
  EXPECT_EQ(translated(kToIn, 2), (wire::GroupRecord{kToIn, ip(kGroup4), sources}));
  EXPECT_EQ(translated(kBlock, 2), std::nullopt);
  EXPECT_EQ(translated(kToIn, 1), std::nullopt);
  EXPECT_EQ(translated(kAllow, 1), (wire::GroupRecord{kAllow, ip(kGroup4), sources}));
  const auto mld1 = translate({kToIn, ip(kGroup6), {}}, Family::kIp6, 1);
  EXPECT_EQ(mld1, (wire::GroupRecord{kToIn, ip(kGroup6)})) << "MLDv1 hosts say Done";
}

struct Ssm : testing::Test {
  Link link{{.family = Family::kIp4}};
};

TEST_F(Ssm, AnySourceIsNotServed) {  // rows 33, 34
  link.record(kToEx, "232.1.1.1");
  link.record(RecordType::kModeIsExclude, "232.1.1.1", {"192.0.2.9"});
  link.say(OldReport{2, ip("232.1.1.1")}, kOld4);
  link.say(OldReport{1, ip("232.1.1.1")}, kOld4);
  link.say(OldLeave{ip("232.1.1.1")}, kOld4);
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_EQ(link.router.counters().any_source_of_ssm, 5U);
}

TEST_F(Ssm, AnOlderListenerDoesNotTakeTheSourcesFromOthers) {  // row 34
  link.record(kAllow, "232.1.1.1", {"192.0.2.1", "192.0.2.2"});
  link.say(OldReport{2, ip("232.1.1.1")}, kOld4);
  EXPECT_EQ(version(link), 3);
  link.forget();
  link.record(kBlock, "232.1.1.1", {"192.0.2.2"});
  link.run(2s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip("232.1.1.1"), include({"192.0.2.1"})}));
}

TEST_F(Ssm, TheRangesAreTheStandardOnes) {  // row 33
  for (const char* group : {"232.0.0.1", "232.255.255.255"}) {
    link.record(kToEx, group);
    EXPECT_THAT(link.changes(), IsEmpty()) << group;
  }
  for (const char* group : {"231.1.1.1", "233.1.1.1"}) {
    link.record(kToEx, group);
    EXPECT_THAT(link.changes(), SizeIs(1)) << group;
  }
  Link mld;
  for (const char* group : {"ff35::8000:1", "ff3e::1"}) {
    mld.record(kToEx, group);
    mld.say(OldReport{1, ip(group)}, kOld6);
    EXPECT_THAT(mld.changes(), IsEmpty()) << group;
  }
  mld.record(kToEx, "ff3e:20:2001:db8::1");
  EXPECT_THAT(mld.changes(), SizeIs(1)) << "made of a unicast prefix, yet not source-specific";
}

TEST(SsmSettings, TheRangesCanBeSetAndSwitchedOff) {  // row 33
  Link own({.family = Family::kIp4, .ssm_ranges = {Prefix::parse("239.232.0.0/16").value()}});
  own.record(kToEx, "239.232.1.1");
  EXPECT_THAT(own.changes(), IsEmpty());
  own.record(kToEx, "232.1.1.1");
  EXPECT_THAT(own.changes(), SizeIs(1));
  Link tolerant({.family = Family::kIp4, .ssm_from_any_source = true});
  tolerant.record(kToEx, "232.1.1.1");
  EXPECT_THAT(tolerant.changes(), SizeIs(1));
}

}  // namespace
}  // namespace hearthcast::membership
