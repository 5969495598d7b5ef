#include "appliance/access/device_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/access/people.hpp"

namespace hearthcast::access {
namespace {

using testing_people::identity;
using testing_people::key;

class DeviceListTest : public testing::Test {
 protected:
  DeviceId pair(std::uint8_t n, std::string_view name) {
    return devices.paired(identity(n), key(n), name).value();
  }
  DeviceList devices;
};

TEST_F(DeviceListTest, ANewDeviceIsPendingAndGrantedNothing) {
  const auto id = pair(1, "laptop");
  const Device* device = devices.find(id);
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(device->state, DeviceState::kPending);
  EXPECT_EQ(device->grants, Grants{});
  EXPECT_EQ(device->public_key, key(1));
  EXPECT_EQ(devices.find(identity(1)), device);
  EXPECT_EQ(devices.find(identity(2)), nullptr);
}

TEST(DeviceState, ItsTextReadsBackAndNonsenseOpensNoDoor) {
  for (const auto state : {DeviceState::kPending, DeviceState::kApproved, DeviceState::kRevoked}) {
    EXPECT_EQ(device_state(to_text(state)), state);
  }
  EXPECT_EQ(to_text(DeviceState::kApproved), "approved");
  EXPECT_EQ(device_state("Approved"), DeviceState::kRevoked);
  EXPECT_EQ(device_state(""), DeviceState::kRevoked);
}

TEST_F(DeviceListTest, PairingAgainKeepsApprovalAndGrants) {
  const auto id = pair(1, "laptop");
  ASSERT_TRUE(devices.set_state(id, DeviceState::kApproved));
  ASSERT_TRUE(devices.set_grants(id, {false, {ChannelId{7}}}));
  ASSERT_TRUE(devices.set_home_hosts(id, {*HomeHost::parse("192.168.1.50:80")}));
  ASSERT_TRUE(devices.set_lan_link(id, Sha256{1}));
  ASSERT_TRUE(devices.rename(id, "Kitchen"));
  const auto before = *devices.find(id);
  EXPECT_EQ(pair(1, "laptop"), id);
  EXPECT_EQ(*devices.find(id), before) << "the name is its owner's";
  EXPECT_EQ(devices.devices().size(), 1U);
}

TEST_F(DeviceListTest, ARevokedDeviceThatPairsAgainWaitsForItsOwner) {
  const auto id = pair(1, "laptop");
  ASSERT_TRUE(devices.set_home_hosts(id, {*HomeHost::parse("192.168.1.50:80")}));
  ASSERT_TRUE(devices.set_lan_link(id, Sha256{1}));
  ASSERT_TRUE(devices.set_state(id, DeviceState::kRevoked));
  const auto revision = devices.find(id)->revision;
  EXPECT_EQ(pair(1, "laptop"), id);
  EXPECT_EQ(devices.find(id)->state, DeviceState::kPending);
  EXPECT_GT(devices.find(id)->revision, revision);
  EXPECT_TRUE(devices.find(id)->home_hosts.empty()) << "what it could reach at home was revoked, too";
  EXPECT_EQ(devices.find(id)->lan_link, std::nullopt);
}

TEST_F(DeviceListTest, RevisionGrowsOnlyWithChanges) {
  const auto id = pair(1, "laptop");
  ASSERT_TRUE(devices.set_state(id, DeviceState::kApproved));
  ASSERT_TRUE(devices.set_grants(id, {true, {}}));
  const auto revision = devices.find(id)->revision;
  ASSERT_TRUE(devices.set_state(id, DeviceState::kApproved));
  ASSERT_TRUE(devices.set_grants(id, {true, {}}));
  ASSERT_TRUE(devices.rename(id, "other"));
  EXPECT_EQ(devices.find(id)->revision, revision);
}

TEST_F(DeviceListTest, TheListsOwnRevisionGrowsWithWhoIsKnown) {
  auto last = devices.revision();
  const auto grown = [&] { return std::exchange(last, devices.revision()) < devices.revision(); };
  const auto id = pair(1, "laptop");
  EXPECT_TRUE(grown());
  ASSERT_TRUE(devices.rename(id, "x"));
  ASSERT_TRUE(devices.set_grants(id, {true, {}}));
  EXPECT_FALSE(grown());
  ASSERT_TRUE(devices.set_state(id, DeviceState::kRevoked));
  EXPECT_TRUE(grown());
  pair(1, "laptop");
  EXPECT_TRUE(grown());
  ASSERT_TRUE(devices.forget(id));
  EXPECT_TRUE(grown());
}

TEST_F(DeviceListTest, AForgottenDeviceIsUnknownAndItsIdIsNotReused) {
  const auto id = pair(1, "laptop");
  EXPECT_TRUE(devices.forget(id));
  EXPECT_FALSE(devices.forget(id));
  EXPECT_EQ(devices.find(identity(1)), nullptr);
  EXPECT_FALSE(devices.set_state(id, DeviceState::kApproved));
  EXPECT_FALSE(devices.set_grants(id, {}));
  EXPECT_FALSE(devices.rename(id, "x"));
  EXPECT_NE(pair(1, "laptop"), id);
}

TEST_F(DeviceListTest, ARevisionIsNotSeenAgainAfterForgetting) {
  const auto id = pair(1, "laptop");
  ASSERT_TRUE(devices.set_state(id, DeviceState::kApproved));
  const auto last = devices.find(id)->revision;
  ASSERT_TRUE(devices.forget(id));
  EXPECT_GT(devices.find(pair(1, "laptop"))->revision, last);
}

TEST_F(DeviceListTest, ADroppedChannelLeavesEveryGrant) {
  const auto a = pair(1, "a");
  const auto b = pair(2, "b");
  ASSERT_TRUE(devices.set_grants(a, {false, {ChannelId{1}, ChannelId{2}}}));
  ASSERT_TRUE(devices.set_grants(b, {false, {ChannelId{3}}}));
  const auto untouched = devices.find(b)->revision;
  devices.drop_channel(ChannelId{2});
  EXPECT_THAT(devices.find(a)->grants.channels, testing::ElementsAre(ChannelId{1}));
  EXPECT_EQ(devices.find(b)->revision, untouched);
}

TEST_F(DeviceListTest, IsBounded) {
  for (std::size_t i = 0; i < kMaxDevices; ++i) {
    IdentityId id;
    id.digest[0] = static_cast<std::uint8_t>(i);
    id.digest[1] = static_cast<std::uint8_t>(i >> 8);
    ASSERT_TRUE(devices.paired(id, key(1), "d"));
  }
  const auto one_more = devices.paired(identity(0xee), key(1), "d");
  ASSERT_FALSE(one_more);
  EXPECT_THAT(one_more.error().text, testing::HasSubstr("Forget one"));
}

TEST_F(DeviceListTest, ReloadsWhatWasStored) {
  pair(1, "a");
  const auto b = pair(2, "b");
  ASSERT_TRUE(devices.forget(b));
  std::vector<Device> stored;
  for (const auto& [id, device] : devices.devices()) {
    stored.push_back(device);
  }
  DeviceList reloaded(stored, devices.next_id(), devices.revision());
  EXPECT_EQ(reloaded.revision(), devices.revision());
  EXPECT_EQ(reloaded.devices(), devices.devices());
  EXPECT_GT(reloaded.paired(identity(3), key(3), "c").value(), b);
}

}  // namespace
}  // namespace hearthcast::access
