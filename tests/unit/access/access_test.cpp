#include "appliance/access/access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/access/people.hpp"

namespace hearthcast::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_people::identity;
using testing_people::key;
using testing_people::listing;

const IdentityId kLaptop = identity(1);
const IpAddress kGroup = *IpAddress::parse("239.1.1.1");

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    news = catalogue.apply(listing("News", "239.1.1.1", 5000)).value().id;
    sport = catalogue.apply(listing("Sport", "239.1.1.1", 5002)).value().id;
    film = catalogue.apply(listing("Film", "ff3e::1", 5000, "2001:db8::1")).value().id;
    laptop = devices.paired(kLaptop, key(1), "laptop").value();
  }
  Access access() const {
    return Access(std::make_shared<const channels::Catalogue>(catalogue),
                  std::make_shared<const DeviceList>(devices));
  }
  void approve(const Grants& grants) {
    ASSERT_TRUE(devices.set_state(laptop, DeviceState::kApproved));
    ASSERT_TRUE(devices.set_grants(laptop, grants));
  }
  std::string refusal(const IdentityId& who, const char* source, const char* group,
                      std::size_t watching = 0) const {
    const auto decision = access().watch(who, *source == '\0' ? std::nullopt : IpAddress::parse(source),
                                         IpAddress::parse(group).value(), watching);
    EXPECT_EQ(decision.channels.empty(), decision.refusal.has_value());
    return decision.refusal ? std::string(code_text(decision.refusal->code)) : "";
  }

  channels::Catalogue catalogue;
  DeviceList devices;
  ChannelId news, sport, film;
  DeviceId laptop;
};

TEST_F(AccessTest, OnlyAnApprovedDeviceWatches) {
  ASSERT_TRUE(devices.set_grants(laptop, {true, {}}));
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.1"), "pending");
  approve({true, {}});
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.1"), "");
  ASSERT_TRUE(devices.set_state(laptop, DeviceState::kRevoked));
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.1"), "revoked");
  EXPECT_EQ(refusal(identity(9), "", "239.1.1.1"), "revoked");
}

TEST_F(AccessTest, WatchesOnlyWhatIsGranted) {
  approve({false, {sport}});
  EXPECT_THAT(access().watch(kLaptop, std::nullopt, kGroup, 0).channels, ElementsAre(sport));
  EXPECT_EQ(refusal(kLaptop, "2001:db8::1", "ff3e::1"), "not_granted");
  EXPECT_THAT(
      access().watch(kLaptop, IpAddress::parse("2001:db8::1"), *IpAddress::parse("ff3e::1"), 0).refusal->text,
      HasSubstr("Film"));
  approve({true, {}});
  EXPECT_THAT(access().watch(kLaptop, std::nullopt, kGroup, 0).channels, ElementsAre(news, sport));
}

TEST_F(AccessTest, AnotherSourceOrGroupIsNoChannel) {
  approve({true, {}});
  EXPECT_EQ(refusal(kLaptop, "2001:db8::2", "ff3e::1"), "unknown_channel");
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.9"), "unknown_channel");
  EXPECT_EQ(refusal(kLaptop, "", "ff02::16"), "unknown_channel");
}

TEST_F(AccessTest, ADeviceWatchesAtMostSixteen) {
  approve({true, {}});
  EXPECT_EQ(refusal(kLaptop, "2001:db8::1", "ff3e::1", kMaxStreamsPerDevice - 1), "");
  EXPECT_EQ(refusal(kLaptop, "2001:db8::1", "ff3e::1", kMaxStreamsPerDevice), "limit");
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.1", kMaxStreamsPerDevice - 1),
            "limit");  // two channels in one group
}

TEST_F(AccessTest, GrantOfAllIncludesLaterChannelsAGrantOfSomeDoesNot) {
  approve({true, {}});
  (void)catalogue.apply(listing("Later", "239.1.1.5", 5000)).value();
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.5"), "");
  approve({false, {news}});
  EXPECT_EQ(refusal(kLaptop, "", "239.1.1.5"), "not_granted");
}

TEST_F(AccessTest, ARunningStreamEndsWithItsPermission) {
  approve({false, {news}});
  EXPECT_TRUE(access().may_continue(kLaptop, news));
  EXPECT_FALSE(access().may_continue(kLaptop, sport));
  EXPECT_FALSE(access().may_continue(identity(9), news));
  ASSERT_TRUE(devices.set_state(laptop, DeviceState::kRevoked));
  EXPECT_FALSE(access().may_continue(kLaptop, news));
  approve({true, {}});
  ASSERT_TRUE(catalogue.remove(news));
  EXPECT_FALSE(access().may_continue(kLaptop, news));
}

TEST_F(AccessTest, TheListHoldsWhatIsGrantedInOrder) {
  EXPECT_THAT(access().channels_of(kLaptop), IsEmpty());  // pending
  approve({false, {film, news}});
  const Access snapshot = access();
  std::vector<std::string> names;
  for (const auto* channel : snapshot.channels_of(kLaptop)) {
    names.push_back(channel->name);
  }
  EXPECT_THAT(names, ElementsAre("News", "Film"));
  EXPECT_THAT(access().channels_of(identity(9)), IsEmpty());
}

TEST_F(AccessTest, TheListsRevisionGrowsWithEitherSide) {
  auto last = access().channels_revision(kLaptop);
  const auto expect_growth = [&] {
    EXPECT_GT(access().channels_revision(kLaptop), last);
    last = access().channels_revision(kLaptop);
  };
  approve({false, {news}});
  expect_growth();
  ASSERT_TRUE(catalogue.rename(news, "Nachrichten"));
  expect_growth();
  ASSERT_TRUE(devices.set_state(laptop, DeviceState::kRevoked));
  expect_growth();
}

TEST_F(AccessTest, EveryRefusalHasWords) {
  EXPECT_THAT(access().standing(kLaptop)->text, HasSubstr("approve"));
  EXPECT_THAT(access().standing(identity(9))->text, HasSubstr("Pair it again"));
  approve({});
  EXPECT_FALSE(access().standing(kLaptop).has_value());
}

TEST(Access, ThatIsEmptyRefusesEverybody) {
  EXPECT_TRUE(Access().watch(kLaptop, std::nullopt, kGroup, 0).refusal.has_value());
}

// What an HTTP player at home asks for: an address, mostly without its source.
class AddressTest : public AccessTest {
 protected:
  AddressTest() {
    left = catalogue.apply(listing("Left", "232.1.1.1", 5000, "192.0.2.1")).value().id;
    right = catalogue.apply(listing("Right", "232.1.1.1", 5000, "192.0.2.2")).value().id;
  }
  Decision ask(const char* source, const char* group, std::uint16_t port) const {
    FlowKey key{*source == '\0' ? std::nullopt : IpAddress::parse(source), IpAddress::parse(group).value(),
                port};
    return access().watch(kLaptop, key);
  }
  ChannelId left, right;
};

TEST_F(AddressTest, TheAddressNamesOneChannelByItsPort) {
  approve({true, {}});
  EXPECT_THAT(ask("", "239.1.1.1", 5002).channels, ElementsAre(sport));
  EXPECT_THAT(ask("", "239.1.1.1", 5000).channels, ElementsAre(news));
  EXPECT_THAT(ask("", "ff3e::1", 5000).channels, ElementsAre(film));
  EXPECT_THAT(ask("2001:db8::1", "ff3e::1", 5000).channels, ElementsAre(film));
}

TEST_F(AddressTest, AnAddressThatNoChannelHasIsUnknown) {
  approve({true, {}});
  for (const Decision& decision :
       {ask("", "239.1.1.1", 5001), ask("", "239.9.9.9", 5000), ask("2001:db8::2", "ff3e::1", 5000),
        ask("192.0.2.1", "239.1.1.1", 5000)}) {
    ASSERT_TRUE(decision.refusal);
    EXPECT_EQ(decision.refusal->code, RefusalCode::kUnknownChannel);
    EXPECT_THAT(decision.channels, IsEmpty());
  }
}

TEST_F(AddressTest, WithoutASourceTheFirstGrantedOneIsMeant) {
  approve({false, {right}});
  EXPECT_THAT(ask("", "232.1.1.1", 5000).channels, ElementsAre(right));
  EXPECT_EQ(ask("192.0.2.1", "232.1.1.1", 5000).refusal->code, RefusalCode::kNotGranted);
  approve({true, {}});
  EXPECT_THAT(ask("", "232.1.1.1", 5000).channels, ElementsAre(left));
  EXPECT_THAT(ask("192.0.2.2", "232.1.1.1", 5000).channels, ElementsAre(right));
}

TEST_F(AddressTest, WhatIsNotGrantedIsNamedAndRefused) {
  approve({false, {news}});
  const auto decision = ask("", "239.1.1.1", 5002);
  ASSERT_TRUE(decision.refusal);
  EXPECT_EQ(decision.refusal->code, RefusalCode::kNotGranted);
  EXPECT_THAT(decision.refusal->text, HasSubstr("\"Sport\""));
}

TEST_F(AddressTest, PendingAndRevokedDevicesWatchNothing) {
  ASSERT_TRUE(devices.set_grants(laptop, {true, {}}));
  EXPECT_EQ(ask("", "239.1.1.1", 5000).refusal->code, RefusalCode::kPending);
  ASSERT_TRUE(devices.set_state(laptop, DeviceState::kRevoked));
  EXPECT_EQ(ask("", "239.1.1.1", 5000).refusal->code, RefusalCode::kRevoked);
}

}  // namespace
}  // namespace hearthcast::access
