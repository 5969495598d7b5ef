// Leaving: specific queries, the last listener query time, the S flag, fast leave. Checklist rows 18 to 20,
// 35, 45.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/link.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using wire::RecordType;
constexpr std::string_view kGroup = "ff1e::1";
constexpr std::string_view kA = "2001:db8::a";
constexpr std::string_view kB = "2001:db8::b";
constexpr std::string_view kTv = "fe80::51";
constexpr std::string_view kPhone = "fe80::52";

struct Leave : testing::Test {
  Leave() { link.settle_down(); }
  // Queries as short words: when, S, sources.
  std::vector<std::string> asked() {
    std::vector<std::string> words;
    for (const Sent& sent : link.queries()) {
      EXPECT_EQ(sent.destination, sent.query.group) << "specific queries go to the group";
      EXPECT_EQ(sent.query.max_response, 1s);
      std::string text = std::to_string((sent.at - left) / 1ms) + (sent.query.suppress ? " S" : "");
      for (const IpAddress& source : sent.query.sources) {
        text += " " + source.to_string();
      }
      words.push_back(text);
    }
    return words;
  }
  void leave(RecordType type, std::initializer_list<std::string_view> sources = {},
             std::string_view host = kTv) {
    link.forget();
    left = link.now;
    link.record(type, kGroup, sources, host);
  }
  Link link;
  Time left = kStart;
};

TEST_F(Leave, OfAGroupIsAskedAboutTwiceAndEndsAfterTwoSeconds) {  // row 19
  link.record(kToEx, kGroup, {}, kTv);
  link.run(10s);
  leave(kToIn);
  link.run_until(left + 1999ms);
  EXPECT_THAT(link.changes(), IsEmpty());
  link.run_until(left + 2s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
  EXPECT_THAT(asked(), ElementsAre("0", "1000"));
  EXPECT_EQ(link.router.next_deadline() - link.now < 125s, true);
}

TEST_F(Leave, OfASourceIsAskedAboutWithTheSource) {  // row 19
  link.record(kAllow, kGroup, {kA, kB}, kTv);
  leave(kBlock, {kA});
  link.run(2s);
  EXPECT_THAT(asked(), ElementsAre("0 2001:db8::a", "1000 2001:db8::a"));
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kB})}));
}

TEST_F(Leave, FromExcludeToIncludeAsksAboutBoth) {  // row 19
  link.record(kToEx, kGroup, {}, kTv);
  link.record(kAllow, kGroup, {kA, kB}, kPhone);
  leave(kToIn, {kA});
  link.run(2s);
  EXPECT_THAT(asked(), ElementsAre("0", "0 2001:db8::b", "1000", "1000 2001:db8::b"));
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kA})}));
}

TEST_F(Leave, OfSourcesByExcludeIsAskedAbout) {  // row 19
  link.record(kAllow, kGroup, {kA, kB}, kTv);
  leave(kToEx, {kA});
  link.run(2s);
  EXPECT_THAT(asked(), ElementsAre("0 2001:db8::a", "1000 2001:db8::a"));
  EXPECT_THAT(link.changes(),
              ElementsAre(FilterChanged{ip(kGroup), exclude()}, FilterChanged{ip(kGroup), exclude({kA})}));
}

TEST_F(Leave, IsAskedAboutAsOftenAsTheRobustnessSays) {  // row 19
  link.perform(link.router.on_settings({.timing = {.last_listener_query_interval = 200ms, .robustness = 5}},
                                       link.now));
  link.record(kToEx, kGroup, {}, kTv);
  leave(kToIn);
  link.run_until(left + 999ms);
  EXPECT_THAT(link.changes(), IsEmpty());
  link.run_until(left + 1s);
  EXPECT_THAT(link.changes(), SizeIs(1));
  EXPECT_EQ(link.queries().size(), 5U);
}

TEST_F(Leave, AnAnswerKeepsTheGroupWithoutAGap) {  // row 20
  link.record(kToEx, kGroup, {}, kTv);
  link.record(kIsEx, kGroup, {}, kPhone);
  leave(kToIn);
  link.run(1999ms);
  link.record(kIsEx, kGroup, {}, kPhone);
  link.run(200s);
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_TRUE(link.router.filter(ip(kGroup)).admits(ip(kA)));
}

TEST_F(Leave, AnAnswerKeepsTheSourceWithoutAGap) {  // row 20
  link.record(kAllow, kGroup, {kA}, kTv);
  leave(kBlock, {kA});
  link.run(1500ms);
  link.record(kIsIn, kGroup, {kA}, kPhone);
  link.run(200s);
  EXPECT_THAT(link.changes(), IsEmpty());
}

TEST_F(Leave, OnceAnsweredTheRepetitionCarriesTheSFlag) {  // row 18
  link.record(kToEx, kGroup, {}, kTv);
  leave(kToIn);
  link.run(100ms);
  link.record(kIsEx, kGroup, {}, kPhone);
  link.run(10s);
  EXPECT_THAT(asked(), ElementsAre("0", "1000 S"));
}

TEST_F(Leave, AnsweredAndUnansweredSourcesGoIntoDifferentQueries) {  // row 18
  link.record(kAllow, kGroup, {kA, kB}, kTv);
  leave(kToIn);
  link.run(100ms);
  link.record(kIsIn, kGroup, {kB}, kPhone);
  link.run(10s);
  EXPECT_THAT(asked(), ElementsAre("0 2001:db8::a 2001:db8::b", "1000 2001:db8::a", "1000 S 2001:db8::b"));
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kB})}));
}

TEST_F(Leave, TheRepetitionOfAReportStartsNoNewQueries) {
  link.record(kToEx, kGroup, {}, kTv);
  leave(kToIn);
  for (int i = 0; i < 100; ++i) {
    link.run(10ms);
    link.record(kToIn, kGroup, {}, kTv);
  }
  link.run_until(left + 2s);
  EXPECT_THAT(asked(), ElementsAre("0", "1000"));
  EXPECT_THAT(link.changes(), SizeIs(1)) << "nor does it put the end off";
}

TEST_F(Leave, OfWhatNobodyWantsDoesNothing) {
  leave(kToIn);
  leave(kBlock, {kA});
  EXPECT_THAT(link.queries(), IsEmpty());
  EXPECT_EQ(link.router.next_deadline() > link.now, true);
  EXPECT_THAT(link.router.status(link.now).groups, IsEmpty());
}

TEST_F(Leave, ManySourcesAreSplitToThePacketSize) {
  wire::GroupRecord record{kAllow, ip(kGroup)};
  for (int i = 1; i <= 100; ++i) {
    record.sources.push_back(ip("2001:db8::" + std::to_string(i)));
  }
  link.say(wire::MembershipReport{{record}}, kTv);
  record.type = kBlock;
  link.forget();
  const Actions actions = link.router.on_packet(packet(wire::MembershipReport{{record}}), link.now);
  ASSERT_THAT(actions, SizeIs(2));
  std::size_t sources = 0;
  for (const Action& action : actions) {
    const Buffer& octets = std::get<SendPacket>(action).ip_packet;
    EXPECT_LE(octets.size(), 1500U);
    const auto decoded = wire::decode_membership_packet(octets);
    sources += std::get<wire::MembershipQuery>(decoded->message).sources.size();
  }
  EXPECT_EQ(std::get<SendPacket>(actions[0]).ip_packet.size(), 76U + 89 * 16) << "as many as fit";
  EXPECT_EQ(sources, 100U);
}

TEST(LeaveSsm, AsksOnlyAboutSources) {  // row 35
  Link link({.family = Family::kIp4});
  link.settle_down();
  link.record(kAllow, "232.1.1.1", {"192.0.2.1", "192.0.2.2"});
  link.record(kToIn, "232.1.1.1", {"192.0.2.2"});
  link.record(kToIn, "232.1.1.1");
  link.run(10s);
  const auto queries = link.queries();
  EXPECT_GE(queries.size(), 2U);
  for (const Sent& sent : queries) {
    EXPECT_FALSE(sent.query.sources.empty());
  }
  EXPECT_TRUE(link.router.filter(ip("232.1.1.1")).wants_nothing());
}

TEST(LeaveOlderQuerier, AsksByGroupInItsVersion) {  // row 32
  Link link({.querier_version = 1});
  link.settle_down();
  link.record(kAllow, kGroup, {kA, kB});
  link.forget();
  link.record(kBlock, kGroup, {kA});
  link.run(2s);
  const auto queries = link.queries();
  ASSERT_THAT(queries, SizeIs(2));
  EXPECT_EQ(queries[0].query, (wire::MembershipQuery{.version = 1, .max_response = 1s, .group = ip(kGroup)}));
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kB})}));
}

TEST(LeaveOlderQuerier, WithIgmp1NothingCanBeAskedAndStateRunsOut) {  // row 32
  Link link({.family = Family::kIp4, .querier_version = 1});
  link.settle_down();
  link.record(kToEx, "239.1.1.1");
  link.forget();
  const Time left = link.now;
  link.record(kToIn, "239.1.1.1");
  link.run_until(left + 259999ms);
  EXPECT_THAT(link.changes(), IsEmpty());
  for (const Sent& sent : link.queries()) {
    EXPECT_TRUE(sent.query.group.is_unspecified());
  }
  link.run_until(left + 260s);
  EXPECT_THAT(link.changes(), SizeIs(1));
}

struct FastLeave : Leave {
  FastLeave() {
    link.perform(link.router.on_settings({.fast_leave = true}, link.now));
    link.forget();
  }
};

TEST_F(FastLeave, EndsAtOnceWhatNobodyElseWantsAndAsksOnce) {  // row 45
  link.record(kToEx, kGroup, {}, kTv);
  leave(kToIn);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
  link.run(10s);
  EXPECT_THAT(asked(), ElementsAre("0"));
  EXPECT_EQ(link.router.counters().fast_leaves, 1U);
}

TEST_F(FastLeave, DoesNotDisturbASecondSetTopBox) {  // row 45
  link.record(kToEx, kGroup, {}, kTv);
  link.record(kToEx, kGroup, {}, kPhone);
  leave(kToIn);
  EXPECT_THAT(link.queries(), IsEmpty()) << "it is known to watch: nothing to ask";
  link.run(200s);
  EXPECT_THAT(link.changes(), IsEmpty());
  leave(kToIn, {}, kPhone);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
}

TEST_F(FastLeave, TakesOnlyTheSourcesThatTheOtherDoesNotWant) {  // row 45
  link.record(kAllow, kGroup, {kA, kB}, kTv);
  link.record(kAllow, kGroup, {kB}, kPhone);
  leave(kToIn);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kB})}));
}

TEST_F(FastLeave, WhoseListenerWantsAnySourceKeepsAllSources) {  // row 45
  link.record(kAllow, kGroup, {kA}, kTv);
  link.record(kToEx, kGroup, {kB}, kPhone);
  leave(kBlock, {kA});
  link.run(10s);
  EXPECT_THAT(link.changes(), IsEmpty());
  leave(kToIn, {}, kPhone);
  link.run(1s);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
}

TEST_F(FastLeave, KeepsSourcesThatWereCoveredByAnySource) {  // row 45
  link.record(kAllow, kGroup, {kA}, kPhone);
  link.record(kToEx, kGroup, {}, kTv);  // the group's state needs no sources any more
  leave(kToIn);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), include({kA})}));
  link.run(100s);
  EXPECT_THAT(link.changes(), IsEmpty());
}

TEST_F(FastLeave, AListenerWhoseReportsWereLostComesBackByTheOneQuestion) {  // row 45
  link.record(kToEx, kGroup, {}, kTv);
  leave(kToIn);
  ASSERT_THAT(asked(), ElementsAre("0"));
  link.run(30ms);
  link.record(kIsEx, kGroup, {}, kPhone);
  EXPECT_THAT(link.changes(),
              ElementsAre(FilterChanged{ip(kGroup), {}}, FilterChanged{ip(kGroup), exclude()}));
}

TEST_F(FastLeave, AGoneListenerDoesNotHoldTheGroup) {  // row 45
  link.record(kToEx, kGroup, {}, kPhone);              // and then it is unplugged
  for (int i = 0; i < 5; ++i) {
    link.run(60s);
    link.record(kIsEx, kGroup, {}, kTv);
  }
  leave(kToIn);
  EXPECT_THAT(link.changes(), ElementsAre(FilterChanged{ip(kGroup), {}}));
}

TEST_F(FastLeave, WaitsWhereHostsCannotBeToldApart) {  // row 45
  link.record(kToEx, kGroup, {}, kTv);
  link.say(wire::OldReport{1, ip(kGroup)}, kPhone);  // keeps silent when others report
  leave(kToIn);
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_THAT(asked(), ElementsAre("0"));
  link.run(2s);
  EXPECT_THAT(link.changes(), SizeIs(1));
}

TEST_F(FastLeave, WaitsWhereMoreHostsAreThanItTracks) {  // row 45
  link.perform(link.router.on_settings({.limits = {.listeners = 2}, .fast_leave = true}, link.now));
  for (const auto host : {kTv, kPhone, std::string_view("fe80::53")}) {
    link.record(kToEx, kGroup, {}, host);
  }
  for (const auto host : {kTv, kPhone}) {
    leave(kToIn, {}, host);
    EXPECT_THAT(link.changes(), IsEmpty());
  }
  link.run(1s);
  link.record(kIsEx, kGroup, {}, "fe80::53");
  link.run(10s);
  EXPECT_THAT(link.changes(), IsEmpty()) << "the third one was there all the time";
}

TEST(FastLeaveIgmp, WaitsForHostsWithoutAnAddress) {  // row 45
  Link link({.family = Family::kIp4, .fast_leave = true});
  link.settle_down();
  link.record(kToEx, "239.1.1.1", {}, "0.0.0.0");
  link.record(kToEx, "239.1.1.1", {}, "192.168.1.7");
  link.forget();
  link.record(kToIn, "239.1.1.1", {}, "192.168.1.7");
  EXPECT_THAT(link.changes(), IsEmpty());
  EXPECT_THAT(link.queries(), SizeIs(1));
}

TEST(FastLeaveAtStart, WaitsUntilAllWhoAreThereHaveBeenHeard) {  // row 45
  Link link({.fast_leave = true});
  link.run(20s);
  link.record(kToEx, kGroup, {}, kTv);
  link.forget();
  link.record(kToIn, kGroup, {}, kTv);
  EXPECT_THAT(link.changes(), IsEmpty()) << "another listener may not have answered yet";
  link.run(60s);
  link.record(kToEx, kGroup, {}, kTv);
  link.forget();
  link.record(kToIn, kGroup, {}, kTv);
  EXPECT_THAT(link.changes(), SizeIs(1));
}

}  // namespace
}  // namespace hearthcast::membership
