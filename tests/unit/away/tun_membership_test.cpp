#include "tunnelmgr/away/tun_membership.hpp"

#include <gmock/gmock.h>

#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;
using membership::Subscription;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::GroupRecord;
using wire::RecordType;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const IpAddress kLaptop = ip("fe80::1:7");
const IpAddress kSource6 = ip("2001:db8::1");
const IpAddress kOther6 = ip("2001:db8::2");
const IpAddress kGroup6 = ip("ff3e::8000:1");
const IpAddress kSource4 = ip("192.0.2.10");
const IpAddress kGroup4 = ip("239.10.10.2");

Buffer report(const IpAddress& from, std::vector<GroupRecord> records) {
  const bool ip4 = from.is_ip4();
  return wire::encode_membership_packet({from, ip4 ? wire::kAllIgmp3Routers : wire::kAllMld2Routers,
                                         wire::MembershipReport{std::move(records)}});
}

class TunMembershipTest : public testing::Test {
 protected:
  TunMembershipTest() { take(machine_.on_deadline(now_)); }

  void take(const TunActions& actions) {
    for (const auto& action : actions) {
      if (const auto* write = std::get_if<WriteToTun>(&action)) {
        const auto packet = wire::decode_membership_packet(write->ip_packet);
        ASSERT_TRUE(packet);
        queries_.push_back(packet->source.to_string() + " to " + packet->destination.to_string());
      } else if (const auto* start = std::get_if<StartListening>(&action)) {
        seen_.push_back("+" + start->subscription.to_string());
      } else if (const auto* refused = std::get_if<CannotListen>(&action)) {
        seen_.push_back("!" + refused->subscription.to_string());
      } else {
        seen_.push_back("-" + std::get<StopListening>(action).subscription.to_string());
      }
    }
  }
  std::vector<std::string> hear(const IpAddress& from, std::vector<GroupRecord> records) {
    take(machine_.on_packet(report(from, std::move(records)), now_));
    return std::exchange(seen_, {});
  }
  void run(Duration time) {
    const Time end = now_ + time;
    while (machine_.next_deadline() <= end) {
      now_ = std::max(now_, machine_.next_deadline());
      take(machine_.on_deadline(now_));
    }
    now_ = end;
  }

  Time now_ = Time{} + 1h;
  TunMembership machine_{now_};
  std::vector<std::string> queries_;
  std::vector<std::string> seen_;
};

TEST_F(TunMembershipTest, AsksTheKernelInBothFamiliesEveryTenSeconds) {
  EXPECT_THAT(queries_, testing::UnorderedElementsAre("0.0.0.0 to 224.0.0.1", "fe80::1 to ff02::1"));
  run(30s);  // until the quick ones of the start are over
  queries_.clear();
  run(100s);
  EXPECT_EQ(queries_.size(), 20U);
}

TEST_F(TunMembershipTest, ReportsBecomeWishes) {
  EXPECT_THAT(hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}}),
              ElementsAre("+2001:db8::1@ff3e::8000:1"));
  EXPECT_THAT(hear(ip("10.203.0.5"), {{RecordType::kChangeToExclude, kGroup4}}), ElementsAre("+239.10.10.2"));
  EXPECT_THAT(hear(ip("0.0.0.0"), {{RecordType::kAllowNewSources, ip("232.1.1.1"), {kSource4}}}),
              ElementsAre("+192.0.2.10@232.1.1.1"));
  EXPECT_EQ(machine_.listened().size(), 3U);
}

TEST_F(TunMembershipTest, MoreIsWishedForThanTheBoxAllowsAndWhatIsTooMuchIsTold) {
  const IpAddress from = ip("10.203.0.5");
  const auto group = [](std::size_t number) { return ip(("239.10.1." + std::to_string(number)).c_str()); };
  const std::size_t most = 2 * membership::kTunnelLimits.groups;
  for (std::size_t n = 0; n < most; ++n) {
    EXPECT_THAT(hear(from, {{RecordType::kChangeToExclude, group(n)}}),
                ElementsAre("+" + group(n).to_string()));
  }
  EXPECT_THAT(hear(from, {{RecordType::kChangeToExclude, group(most)}}), ElementsAre("!239.10.1.128"));
  EXPECT_THAT(hear(from, {{RecordType::kChangeToExclude, group(most)}}), IsEmpty()) << "once";
  EXPECT_THAT(hear(from, {{RecordType::kChangeToInclude, group(0)}}), ElementsAre("-239.10.1.0"));
  EXPECT_THAT(hear(from, {{RecordType::kChangeToExclude, group(most)}}), ElementsAre("+239.10.1.128"));
  EXPECT_THAT(hear(from, {{RecordType::kChangeToExclude, group(0)}}), ElementsAre("!239.10.1.0"));
}

TEST_F(TunMembershipTest, TheSameAgainChangesNothing) {
  (void)hear(kLaptop, {{RecordType::kModeIsInclude, kGroup6, {kSource6}}});
  EXPECT_THAT(hear(kLaptop, {{RecordType::kModeIsInclude, kGroup6, {kSource6}}}), IsEmpty());
}

TEST_F(TunMembershipTest, ALeaveEndsAtOnce) {
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}});
  EXPECT_THAT(hear(kLaptop, {{RecordType::kBlockOldSources, kGroup6, {kSource6}}}),
              ElementsAre("-2001:db8::1@ff3e::8000:1"));
  (void)hear(ip("10.203.0.5"), {{RecordType::kChangeToExclude, kGroup4}});
  EXPECT_THAT(hear(ip("10.203.0.5"), {{RecordType::kChangeToInclude, kGroup4}}), ElementsAre("-239.10.10.2"));
  EXPECT_THAT(machine_.listened(), IsEmpty());
}

TEST_F(TunMembershipTest, AChangeOfModeStartsBeforeItStops) {
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6, kOther6}}});
  EXPECT_THAT(hear(kLaptop, {{RecordType::kChangeToExclude, kGroup6}}),
              ElementsAre("+ff3e::8000:1", "-2001:db8::1@ff3e::8000:1", "-2001:db8::2@ff3e::8000:1"));
}

TEST_F(TunMembershipTest, WhatTheKernelDoesNotConfirmEnds) {
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}});
  run(60s);
  EXPECT_THAT(seen_, ElementsAre("-2001:db8::1@ff3e::8000:1"));
}

TEST_F(TunMembershipTest, WhatTheKernelConfirmsStays) {
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}});
  for (int turn = 0; turn < 30; ++turn) {
    run(10s);
    EXPECT_THAT(hear(kLaptop, {{RecordType::kModeIsInclude, kGroup6, {kSource6}}}), IsEmpty());
  }
  EXPECT_THAT(seen_, IsEmpty());
}

// A kernel that was told so, or that heard an older querier, speaks an older version.
TEST_F(TunMembershipTest, OlderVersionsAreServed) {
  const auto old = [&](const IpAddress& from, const IpAddress& to, const wire::MembershipMessage& message) {
    take(machine_.on_packet(wire::encode_membership_packet({from, to, message}), now_));
    return std::exchange(seen_, {});
  };
  EXPECT_THAT(old(kLaptop, ip("ff1e::1"), wire::OldReport{1, ip("ff1e::1")}), ElementsAre("+ff1e::1"));
  EXPECT_THAT(old(kLaptop, ip("ff02::2"), wire::OldLeave{ip("ff1e::1")}), ElementsAre("-ff1e::1"));
  EXPECT_THAT(old(ip("10.203.0.5"), kGroup4, wire::OldReport{2, kGroup4}), ElementsAre("+239.10.10.2"));
  EXPECT_THAT(old(ip("10.203.0.5"), ip("224.0.0.2"), wire::OldLeave{kGroup4}), ElementsAre("-239.10.10.2"));
  EXPECT_THAT(old(ip("10.203.0.5"), kGroup4, wire::OldReport{1, kGroup4}), ElementsAre("+239.10.10.2"));
}

TEST_F(TunMembershipTest, TheLaptopsOwnNetworkIsNotAskedForAway) {
  EXPECT_THAT(hear(kLaptop, {{RecordType::kChangeToExclude, ip("ff02::fb")},
                             {RecordType::kChangeToExclude, ip("ff02::1:ff00:7")},
                             {RecordType::kChangeToExclude, ip("ff05::c")},
                             {RecordType::kChangeToExclude, ip("ff0e::fb")}}),
              IsEmpty());
  EXPECT_THAT(hear(ip("10.203.0.5"), {{RecordType::kChangeToExclude, ip("224.0.0.251")},
                                      {RecordType::kChangeToExclude, ip("239.255.255.250")}}),
              IsEmpty());
  EXPECT_THAT(machine_.listened(), IsEmpty());
}

TEST_F(TunMembershipTest, WhatIsNoGoodReportDoesNothing) {
  EXPECT_THAT(hear(ip("::"), {{RecordType::kChangeToExclude, ip("ff1e::1")}}), IsEmpty()) << "no address yet";
  EXPECT_THAT(hear(kSource6, {{RecordType::kChangeToExclude, ip("ff1e::1")}}), IsEmpty());
  Buffer broken = report(kLaptop, {{RecordType::kChangeToExclude, ip("ff1e::1")}});
  broken.back() ^= 1;
  take(machine_.on_packet(broken, now_));
  take(machine_.on_packet({}, now_));
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(TunMembershipTest, ANewAddressIsAskedAtOnceAndNothingIsLost) {
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}});
  run(5s);
  queries_.clear();
  take(machine_.on_address(now_));
  EXPECT_THAT(queries_, ElementsAre("fe80::1 to ff02::1"));
  EXPECT_THAT(seen_, IsEmpty());
  EXPECT_EQ(machine_.listened().size(), 1U);
}

TEST_F(TunMembershipTest, TellsWhatBecameOfEachWish) {
  using State = TunMembership::State;
  const Subscription film{kSource6, kGroup6};
  const Subscription news{std::nullopt, kGroup4};
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}});
  (void)hear(ip("10.203.0.5"), {{RecordType::kChangeToExclude, kGroup4}});
  EXPECT_EQ(machine_.listened().at(film).state, State::kWaiting);
  machine_.on_signal(film, true);
  EXPECT_EQ(machine_.listened().at(film).state, State::kReceiving);
  machine_.on_signal(film, false);
  EXPECT_EQ(machine_.listened().at(film).state, State::kWaiting);

  EXPECT_TRUE(
      machine_.on_refusal({tunnel::RefusalCode::kNotGranted, "Not yours.", {std::nullopt, kGroup4, 0}}));
  EXPECT_EQ(machine_.listened().at(news).state, State::kRefused);
  EXPECT_EQ(machine_.listened().at(news).code, "not_granted");
  EXPECT_EQ(machine_.listened().at(news).text, "Not yours.");
  machine_.on_signal(news, false);
  EXPECT_EQ(machine_.listened().at(news).state, State::kRefused) << "silence is no news";
  machine_.on_signal(news, true);  // granted meanwhile
  EXPECT_EQ(machine_.listened().at(news).state, State::kReceiving);
  EXPECT_EQ(machine_.listened().at(news).text, "");
}

TEST_F(TunMembershipTest, ARefusalIsTakenByThoseItIsAbout) {
  const auto refused = [&](std::optional<IpAddress> source, const IpAddress& group, std::uint16_t port) {
    return machine_.on_refusal({tunnel::RefusalCode::kNoSignal, "silent", {source, group, port}});
  };
  (void)hear(kLaptop, {{RecordType::kAllowNewSources, kGroup6, {kSource6}}});
  (void)hear(kLaptop, {{RecordType::kChangeToExclude, ip("ff1e::1")}});
  EXPECT_FALSE(refused(std::nullopt, ip("ff1e::2"), 0));
  EXPECT_FALSE(refused(kOther6, kGroup6, 0));
  EXPECT_TRUE(refused(kSource6, kGroup6, 5004)) << "the kernel names no port";
  EXPECT_TRUE(refused(std::nullopt, kGroup6, 0));
  EXPECT_TRUE(refused(kOther6, ip("ff1e::1"), 5004)) << "any source was wished for";
}

TEST_F(TunMembershipTest, SignalsOfWhatIsNotListenedToAreIgnored) {
  machine_.on_signal({std::nullopt, kGroup4}, true);
  EXPECT_THAT(machine_.listened(), IsEmpty());
}

// A broken program that joins and joins.
TEST_F(TunMembershipTest, TheNumberOfGroupsIsBounded) {
  for (int n = 0; n < 300; ++n) {
    (void)hear(ip("10.203.0.5"),
               {{RecordType::kChangeToExclude, IpAddress::ip4(0xEF0A0000U + static_cast<std::uint32_t>(n))}});
  }
  EXPECT_EQ(machine_.listened().size(), 2 * membership::kTunnelLimits.groups);
}

}  // namespace
}  // namespace hearthcast::away
