#include "tunnelmgr/membership/listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"

namespace hearthcast::membership {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::RecordType;
constexpr std::string_view kGroup = "ff3e::8000:1";
constexpr std::string_view kSource = "2001:db8::1";
const Subscription kWanted{*IpAddress::parse(kSource), *IpAddress::parse(kGroup)};

class ListenerTest : public testing::Test {
 protected:
  // Times at which anything was repeated, up to `end`.
  std::vector<Time> repeats_until(Time end) {
    std::vector<Time> times;
    while (listener_.next_deadline() <= end) {
      const Time at = listener_.next_deadline();
      if (!listener_.on_deadline(at).empty()) {
        times.push_back(at);
      }
    }
    return times;
  }
  Listener listener_{kHost};
};

TEST_F(ListenerTest, AsksForASourceByInclude) {
  const auto packets = listener_.join(kWanted, kStart);
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(report_in(packets[0]), one(RecordType::kChangeToInclude, kGroup, {kSource}));
  const auto decoded = wire::decode_membership_packet(packets[0]);
  EXPECT_EQ(decoded->source, kHost);
  EXPECT_EQ(decoded->destination, ip("ff02::16"));
}

TEST_F(ListenerTest, AsksForAnySourceByExcludeOverIgmpToo) {
  const auto packets = listener_.join(any_source("239.1.1.1"), kStart);
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(report_in(packets[0]), one(RecordType::kChangeToExclude, "239.1.1.1"));
  EXPECT_EQ(wire::decode_membership_packet(packets[0])->source, ip("0.0.0.0"));
}

TEST_F(ListenerTest, RepeatsUntilItIsAnswered) {
  (void)listener_.join(kWanted, kStart);
  EXPECT_THAT(repeats_until(kStart + 10s), ElementsAre(kStart + 100ms, kStart + 200ms, kStart + 400ms));
  EXPECT_EQ(listener_.next_deadline(), kNever);

  (void)listener_.leave(kWanted, kStart + 10s);
  (void)listener_.join(kWanted, kStart + 20s);
  EXPECT_THAT(repeats_until(kStart + 20s + 150ms), ElementsAre(kStart + 20s + 100ms));
}

TEST_F(ListenerTest, AnAnswerStopsTheRepetition) {
  (void)listener_.join(kWanted, kStart);
  listener_.on_answer(any_source("ff3e::8000:2"));  // about something else
  EXPECT_THAT(repeats_until(kStart + 150ms), ElementsAre(kStart + 100ms));
  listener_.on_answer(kWanted);
  EXPECT_EQ(listener_.next_deadline(), kNever);
}

TEST_F(ListenerTest, WhatHasNoAnswerIsSaidAgainWhenThePathIsBack) {
  (void)listener_.join(kWanted, kStart);
  (void)listener_.join(any_source("239.1.1.1"), kStart);
  listener_.on_answer(any_source("239.1.1.1"));
  (void)repeats_until(kStart + 10s);
  const auto packets = listener_.on_path_back(kStart + 10s);
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(report_in(packets[0]), one(RecordType::kChangeToInclude, kGroup, {kSource}));
  EXPECT_THAT(repeats_until(kStart + 20s), ElementsAre(kStart + 10100ms, kStart + 10200ms, kStart + 10400ms));
}

TEST_F(ListenerTest, TwoSourcesOfAGroupNeedTwoAnswers) {
  (void)listener_.join(kWanted, kStart);
  const auto packets = listener_.join(from("2001:db8::2", kGroup), kStart);
  EXPECT_EQ(report_in(packets.at(0)), one(RecordType::kChangeToInclude, kGroup, {kSource, "2001:db8::2"}));
  listener_.on_answer(kWanted);
  EXPECT_NE(listener_.next_deadline(), kNever);
  listener_.on_answer(from("2001:db8::2", kGroup));
  EXPECT_EQ(listener_.next_deadline(), kNever);
}

TEST_F(ListenerTest, LeavesWithTheLastOfSeveral) {
  (void)listener_.join(kWanted, kStart);
  EXPECT_THAT(listener_.join(kWanted, kStart), IsEmpty());
  EXPECT_THAT(listener_.leave(kWanted, kStart), IsEmpty());
  EXPECT_TRUE(listener_.wants(kWanted));
  const auto packets = listener_.leave(kWanted, kStart + 1s);
  EXPECT_EQ(report_in(packets.at(0)), one(RecordType::kChangeToInclude, kGroup));
  EXPECT_FALSE(listener_.wants(kWanted));
  listener_.on_answer(kWanted);  // late data must not end the repetition of a leave
  EXPECT_THAT(repeats_until(kStart + 5s), ElementsAre(kStart + 1100ms, kStart + 1200ms, kStart + 1400ms));
  EXPECT_THAT(listener_.leave(kWanted, kStart + 6s), IsEmpty());
}

TEST_F(ListenerTest, ALateTimerSendsOneReportNotThree) {
  (void)listener_.join(kWanted, kStart);
  EXPECT_EQ(listener_.on_deadline(kStart + 5s).size(), 1U);
  EXPECT_EQ(listener_.next_deadline(), kNever);
}

TEST_F(ListenerTest, AnswersGeneralQueriesOfEachFamily) {
  (void)listener_.join(kWanted, kStart);
  (void)listener_.join(any_source("239.1.1.1"), kStart);
  const auto mld = listener_.on_packet(packet(wire::MembershipQuery{.group = ip("::")}, kBox));
  ASSERT_EQ(mld.size(), 1U);
  EXPECT_EQ(report_in(mld[0]), one(RecordType::kModeIsInclude, kGroup, {kSource}));
  const auto igmp =
      listener_.on_packet(packet(wire::MembershipQuery{.version = 3, .group = ip("0.0.0.0")}, ip("0.0.0.0")));
  ASSERT_EQ(igmp.size(), 1U);
  EXPECT_EQ(report_in(igmp[0]), one(RecordType::kModeIsExclude, "239.1.1.1"));
}

TEST_F(ListenerTest, AnswersQueriesOfGroupsAndSources) {
  (void)listener_.join(kWanted, kStart);
  (void)listener_.join(any_source("ff1e::2"), kStart);
  const auto ask = [&](std::string_view group, std::vector<IpAddress> sources) {
    return listener_.on_packet(
        packet(wire::MembershipQuery{.group = ip(group), .sources = std::move(sources)}, kBox));
  };
  EXPECT_EQ(report_in(ask(kGroup, {}).at(0)), one(RecordType::kModeIsInclude, kGroup, {kSource}));
  EXPECT_EQ(report_in(ask(kGroup, {ip(kSource), ip("2001:db8::9")}).at(0)),
            one(RecordType::kModeIsInclude, kGroup, {kSource}));
  EXPECT_THAT(ask(kGroup, {ip("2001:db8::9")}), IsEmpty());
  EXPECT_EQ(report_in(ask("ff1e::2", {ip("2001:db8::9")}).at(0)),
            one(RecordType::kModeIsInclude, "ff1e::2", {"2001:db8::9"}));
  EXPECT_THAT(ask("ff1e::77", {}), IsEmpty());
}

TEST_F(ListenerTest, IgnoresWhatIsNoQuery) {
  EXPECT_THAT(listener_.on_packet({}), IsEmpty());
  EXPECT_THAT(listener_.on_packet(packet(one(RecordType::kChangeToExclude, kGroup), kBox)), IsEmpty());
  Buffer damaged = packet(wire::MembershipQuery{.group = ip("::")}, kBox);
  damaged.back() ^= 1;
  EXPECT_THAT(listener_.on_packet(damaged), IsEmpty());
  EXPECT_EQ(listener_.ignored_packets(), 3U);
}

TEST_F(ListenerTest, WillNotAskForWhatCannotBeCarried) {
  EXPECT_THAT(listener_.join(any_source("ff02::1"), kStart), IsEmpty());
  EXPECT_THAT(listener_.join(any_source("192.0.2.1"), kStart), IsEmpty());
  EXPECT_THAT(listener_.join(from("192.0.2.1", kGroup), kStart), IsEmpty());
  EXPECT_EQ(listener_.next_deadline(), kNever);
}

TEST_F(ListenerTest, RestartReportsEverythingThatIsStillWanted) {
  (void)listener_.join(kWanted, kStart);
  (void)listener_.join(any_source("239.1.1.1"), kStart);
  (void)listener_.join(any_source("ff1e::2"), kStart);
  listener_.on_answer(kWanted);
  (void)listener_.leave(any_source("ff1e::2"), kStart);
  const auto packets = listener_.restart(ip("fe80::1:9"), kStart + 1s);
  ASSERT_EQ(packets.size(), 2U);
  EXPECT_EQ(report_in(packets[0]), one(RecordType::kChangeToExclude, "239.1.1.1"));
  EXPECT_EQ(report_in(packets[1]), one(RecordType::kChangeToInclude, kGroup, {kSource}));
  EXPECT_EQ(wire::decode_membership_packet(packets[1])->source, ip("fe80::1:9"));
  EXPECT_EQ(listener_.next_deadline(), kStart + 1100ms);
}

TEST_F(ListenerTest, ManyGroupsGoIntoSeveralPackets) {
  for (int i = 0; i < 100; ++i) {
    (void)listener_.join(from(kSource, "ff3e::" + std::to_string(i + 1)), kStart);
  }
  std::size_t records = 0;
  for (const Buffer& octets : listener_.on_packet(packet(wire::MembershipQuery{.group = ip("::")}, kBox))) {
    EXPECT_LE(octets.size(), 1200U);
    records += report_in(octets).records.size();
  }
  EXPECT_EQ(records, 100U);
}

}  // namespace
}  // namespace hearthcast::membership
