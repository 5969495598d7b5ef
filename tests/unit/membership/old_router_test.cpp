#include "tunnelmgr/membership/old_router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/membership/packets.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::membership::old {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using wire::RecordType;
constexpr std::string_view kGroup = "ff3e::8000:1";
constexpr std::string_view kSource = "2001:db8::1";

class RouterTest : public testing::Test {
 protected:
  Actions hear(const wire::MembershipMessage& message, Time now = kStart) {
    return router_.on_packet(packet(message), now);
  }
  // What was joined and left until `now`, without the queries.
  Actions changes_until(Time now) {
    Actions changes;
    while (router_.next_deadline() <= now) {
      for (Action& action : router_.on_deadline(router_.next_deadline())) {
        if (!std::holds_alternative<SendPacket>(action)) {
          changes.push_back(std::move(action));
        }
      }
    }
    return changes;
  }
  Router router_{kBox, tunnel_timing(), kTunnelLimits, kStart};
};

TEST_F(RouterTest, QueriesAtOnceAndThenEveryTenSeconds) {
  std::vector<Time> queries;
  while (router_.next_deadline() < kStart + 40s) {
    const Time at = router_.next_deadline();
    const Actions actions = router_.on_deadline(at);
    ASSERT_EQ(actions.size(), 2U) << "one query for each family";
    queries.push_back(at);
  }
  EXPECT_THAT(queries,
              ElementsAre(kStart, kStart + 2500ms, kStart + 12500ms, kStart + 22500ms, kStart + 32500ms));
}

TEST_F(RouterTest, RepeatsAQueryUntilItIsAnswered) {
  (void)router_.on_deadline(kStart);
  (void)router_.on_deadline(kStart + 2500ms);
  (void)hear(one(RecordType::kChangeToInclude, kGroup, {kSource}), kStart + 3s);
  const auto queries_at = [&](Time at) {
    EXPECT_EQ(router_.next_deadline(), at);
    return router_.on_deadline(at).size();
  };
  EXPECT_EQ(queries_at(kStart + 12500ms), 2U);
  EXPECT_EQ(queries_at(kStart + 13000ms), 1U) << "only the family that wants something";
  EXPECT_EQ(queries_at(kStart + 13500ms), 1U);
  (void)hear(one(RecordType::kModeIsInclude, kGroup, {kSource}), kStart + 13600ms);
  EXPECT_EQ(queries_at(kStart + 22500ms), 2U);
}

TEST_F(RouterTest, ItsQueriesAreGeneralOnesOfTheNewestVersions) {
  const Actions actions = router_.on_deadline(kStart);
  const auto mld = wire::decode_membership_packet(std::get<SendPacket>(actions.at(0)).ip_packet);
  ASSERT_TRUE(mld);
  EXPECT_EQ(mld->source, kBox);
  EXPECT_EQ(mld->destination, ip("ff02::1"));
  EXPECT_EQ(
      mld->message,
      (wire::MembershipMessage(wire::MembershipQuery{
          .version = 2, .max_response = 2s, .group = ip("::"), .robustness = 2, .query_interval = 10s})));
  const auto igmp = wire::decode_membership_packet(std::get<SendPacket>(actions.at(1)).ip_packet);
  ASSERT_TRUE(igmp);
  EXPECT_EQ(std::get<wire::MembershipQuery>(igmp->message).version, 3);
  EXPECT_EQ(igmp->destination, ip("224.0.0.1"));
}

TEST_F(RouterTest, JoinsOnceAndLeavesAtOnce) {
  const Subscription wanted = from(kSource, kGroup);
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup, {kSource})), ElementsAre(Joined{wanted}));
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup, {kSource})), IsEmpty()) << "a repetition";
  EXPECT_THAT(router_.subscriptions(), ElementsAre(wanted));
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup)), ElementsAre(Left{wanted}));
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup)), IsEmpty());
  EXPECT_THAT(router_.subscriptions(), IsEmpty());
}

TEST_F(RouterTest, ChangesOfFilterModeJoinBeforeTheyLeave) {
  (void)hear(one(RecordType::kChangeToInclude, kGroup, {kSource}));
  EXPECT_THAT(hear(one(RecordType::kChangeToExclude, kGroup)),
              ElementsAre(Joined{any_source(kGroup)}, Left{from(kSource, kGroup)}));
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup, {kSource})),
              ElementsAre(Joined{from(kSource, kGroup)}, Left{any_source(kGroup)}));
}

TEST_F(RouterTest, TakesIgmpAndOlderVersions) {
  const IpAddress unspecified = ip("0.0.0.0");
  EXPECT_THAT(router_.on_packet(
                  packet(one(RecordType::kAllowNewSources, "232.1.1.1", {"192.0.2.1"}), unspecified), kStart),
              ElementsAre(Joined{from("192.0.2.1", "232.1.1.1")}));
  EXPECT_THAT(router_.on_packet(packet(wire::OldReport{2, ip("239.1.1.1")}, unspecified), kStart),
              ElementsAre(Joined{any_source("239.1.1.1")}));
  EXPECT_THAT(router_.on_packet(packet(wire::OldLeave{ip("239.1.1.1")}, unspecified), kStart),
              ElementsAre(Left{any_source("239.1.1.1")}));
  EXPECT_THAT(hear(wire::OldReport{1, ip("ff1e::1")}), ElementsAre(Joined{any_source("ff1e::1")}));
  EXPECT_THAT(hear(wire::OldLeave{ip("ff1e::1")}), ElementsAre(Left{any_source("ff1e::1")}));
}

TEST_F(RouterTest, StateExpiresAfterTwoMissedQueriesAndTheResponse) {
  (void)hear(one(RecordType::kChangeToInclude, kGroup, {kSource}), kStart);
  (void)hear(one(RecordType::kChangeToExclude, "ff1e::2"), kStart);
  EXPECT_THAT(changes_until(kStart + 21999ms), IsEmpty());
  EXPECT_THAT(changes_until(kStart + 22s),
              UnorderedElementsAre(Left{from(kSource, kGroup)}, Left{any_source("ff1e::2")}));
  EXPECT_THAT(router_.subscriptions(), IsEmpty());
}

TEST_F(RouterTest, AnswersToQueriesKeepStateAlive) {
  (void)hear(one(RecordType::kChangeToInclude, kGroup, {kSource}), kStart);
  for (auto at = kStart; at < kStart + 600s; at += 20s) {  // every second answer lost
    EXPECT_THAT(changes_until(at), IsEmpty());
    EXPECT_THAT(hear(one(RecordType::kModeIsInclude, kGroup, {kSource}), at), IsEmpty());
  }
}

TEST_F(RouterTest, CloseLeavesEverything) {
  (void)hear(one(RecordType::kChangeToInclude, kGroup, {kSource}));
  (void)hear(one(RecordType::kChangeToExclude, "ff1e::2"));
  EXPECT_THAT(router_.close(),
              UnorderedElementsAre(Left{from(kSource, kGroup)}, Left{any_source("ff1e::2")}));
  EXPECT_THAT(router_.close(), IsEmpty());
}

TEST_F(RouterTest, RefusesMoreGroupsThanTheLimitAndKeepsTheOthers) {
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(hear(one(RecordType::kChangeToExclude, "ff1e::" + std::to_string(i + 1))).size(), 1U);
  }
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup, {kSource})),
              ElementsAre(OverLimit{from(kSource, kGroup)}));
  EXPECT_EQ(router_.subscriptions().size(), 16U);
  (void)hear(one(RecordType::kChangeToInclude, "ff1e::1"));
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup, {kSource})),
              ElementsAre(Joined{from(kSource, kGroup)}));
  EXPECT_EQ(router_.counters().over_limit, 1U);
}

TEST_F(RouterTest, RefusesMoreSourcesThanTheLimitAndKeepsTheOthers) {
  wire::GroupRecord record{RecordType::kAllowNewSources, ip(kGroup)};
  for (int i = 1; i <= 40; ++i) {
    record.sources.push_back(ip("2001:db8::" + std::to_string(i)));
  }
  const Actions actions = hear(wire::MembershipReport{{record}});
  EXPECT_EQ(std::count_if(actions.begin(), actions.end(),
                          [](const Action& a) { return std::holds_alternative<Joined>(a); }),
            32);
  EXPECT_EQ(std::count_if(actions.begin(), actions.end(),
                          [](const Action& a) { return std::holds_alternative<OverLimit>(a); }),
            8);
}

TEST_F(RouterTest, IgnoresWhatMustNotBeForwarded) {
  EXPECT_THAT(hear(one(RecordType::kChangeToExclude, "ff02::fb")), IsEmpty());
  EXPECT_THAT(hear(one(RecordType::kChangeToExclude, "ff01::1")), IsEmpty());
  EXPECT_THAT(hear(one(RecordType::kChangeToExclude, "2001:db8::1")), IsEmpty());
  EXPECT_THAT(router_.on_packet(packet(wire::OldReport{2, ip("224.0.0.251")}, ip("0.0.0.0")), kStart),
              IsEmpty());
  EXPECT_EQ(router_.counters().ignored_groups, 4U);
  EXPECT_THAT(hear(one(RecordType::kChangeToInclude, kGroup, {"ff3e::9", "::"})), IsEmpty())
      << "no sources at all";
  EXPECT_THAT(hear(one(static_cast<RecordType>(7), kGroup, {kSource})), IsEmpty());
  EXPECT_EQ(router_.counters().ignored_records, 1U);
  EXPECT_THAT(hear(one(RecordType::kBlockOldSources, kGroup, {kSource})), IsEmpty()) << "makes no state";
  EXPECT_THAT(router_.subscriptions(), IsEmpty());
}

TEST_F(RouterTest, CountsBadPacketsByReason) {
  const auto dropped = [&](wire::MembershipError e) {
    return router_.counters().dropped.at(static_cast<std::size_t>(e));
  };
  Buffer far = packet(one(RecordType::kChangeToExclude, kGroup));
  far[7] = 2;
  EXPECT_THAT(router_.on_packet(far, kStart), IsEmpty());
  EXPECT_EQ(dropped(wire::MembershipError::kHopLimit), 1U);
  Buffer damaged = packet(one(RecordType::kChangeToExclude, kGroup));
  damaged.back() ^= 1;
  EXPECT_THAT(router_.on_packet(damaged, kStart), IsEmpty());
  EXPECT_EQ(dropped(wire::MembershipError::kBadChecksum), 1U);
  EXPECT_THAT(router_.on_packet(packet(one(RecordType::kChangeToExclude, kGroup), ip("2001:db8::5")), kStart),
              IsEmpty());
  EXPECT_EQ(dropped(wire::MembershipError::kSource), 1U);
  EXPECT_THAT(hear(wire::MembershipQuery{.group = ip("::")}), IsEmpty());
  EXPECT_EQ(router_.counters().foreign_queries, 1U);
  EXPECT_EQ(router_.counters().reports, 0U);
}

}  // namespace
}  // namespace hearthcast::membership::old
