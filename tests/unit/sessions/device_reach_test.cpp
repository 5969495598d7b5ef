// When a box tells a device where it is to be found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "appliance/sessions/device_tunnel.hpp"
#include "tests/unit/sessions/device_end.hpp"

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr IdentityId kPhone{{7}};

tunnel::Reach at(const char* address) { return {{*tunnel::ReachAddress::parse(address)}, "", ""}; }

struct DeviceReachTest : testing::Test {
  DeviceReachTest() { phone = *devices.paired(kPhone, as_bytes("key"), "Phone"); }
  std::shared_ptr<const access::Access> snapshot() const {
    return std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(),
                                                  std::make_shared<const access::DeviceList>(devices));
  }
  void open() {
    BoxFacts facts{.software = "hearthcast test", .name = "Home"};
    facts.reach = [this] { return reach; };
    box.emplace(kPhone, phone, facts, snapshot(), now);
  }
  void perform(const TunnelActions& actions) {
    for (const auto& action : actions) {
      if (const auto* inner = std::get_if<SendInner>(&action)) {
        to_box(device.on_gre(inner->gre, now));
      }
    }
  }
  void to_box(const DeviceEnd::Packets& packets) {
    for (const auto& packet : packets) {
      perform(box->on_inner(packet, now));
    }
  }
  void hello() { to_box(device.say(tunnel::DeviceHello{.software = "test", .name = "Phone"}, now)); }
  void set(access::DeviceState state) {
    ASSERT_TRUE(devices.set_state(phone, state));
    perform(box->on_access(snapshot(), now));
  }

  access::DeviceList devices;
  DeviceId phone;
  Time now{1h};
  tunnel::Reach reach = at("198.51.100.2:4755");
  std::optional<DeviceTunnel> box;
  DeviceEnd device;
};

TEST_F(DeviceReachTest, AnApprovedDeviceIsToldAfterHello) {
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kApproved));
  open();
  EXPECT_THAT(device.reaches, IsEmpty());
  hello();
  EXPECT_THAT(device.reaches, ElementsAre(at("198.51.100.2:4755")));
}

TEST_F(DeviceReachTest, OneThatWaitsIsToldOnceItIsApproved) {
  open();
  hello();
  perform(box->on_reach(now));
  EXPECT_THAT(device.reaches, IsEmpty());
  set(access::DeviceState::kApproved);
  EXPECT_THAT(device.reaches, ElementsAre(at("198.51.100.2:4755")));
}

TEST_F(DeviceReachTest, OnlyNewsAreTold) {
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kApproved));
  open();
  perform(box->on_reach(now));
  EXPECT_THAT(device.reaches, IsEmpty()) << "before hello nothing is said";
  hello();
  perform(box->on_reach(now));
  perform(box->on_reach(now));
  reach = at("home.example.net:9");
  perform(box->on_reach(now));
  EXPECT_THAT(device.reaches, ElementsAre(at("198.51.100.2:4755"), at("home.example.net:9")));
}

TEST_F(DeviceReachTest, WhoSaysHelloAgainIsToldAgain) {
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kApproved));
  open();
  hello();
  hello();
  EXPECT_EQ(device.reaches.size(), 2U);
}

TEST_F(DeviceReachTest, ARevokedDeviceIsToldNothingMore) {
  ASSERT_TRUE(devices.set_state(phone, access::DeviceState::kApproved));
  open();
  hello();
  set(access::DeviceState::kRevoked);
  reach = at("203.0.113.5");
  perform(box->on_reach(now));
  EXPECT_EQ(device.reaches.size(), 1U);
}

}  // namespace
}  // namespace hearthcast::sessions
