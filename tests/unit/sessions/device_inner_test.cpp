// When a device is welcome at the box's own address inside its tunnel.
#include <gtest/gtest.h>

#include "appliance/sessions/device_tunnel.hpp"
#include "tests/unit/sessions/device_end.hpp"

namespace hearthcast::sessions {
namespace {

using namespace std::chrono_literals;

constexpr IdentityId kPhone{{7}};
const InnerPlan kPlan(kPhone, *Prefix::parse("10.203.0.0/16"));

struct DeviceInnerTest : testing::Test {
  DeviceInnerTest() {
    phone = *devices.paired(kPhone, as_bytes("key"), "Phone");
    box.emplace(kPhone, phone, BoxFacts{.software = "test", .name = "Home", .inner = kPlan}, snapshot(), now);
  }
  std::shared_ptr<const access::Access> snapshot() const {
    return std::make_shared<const access::Access>(std::make_shared<const channels::Catalogue>(),
                                                  std::make_shared<const access::DeviceList>(devices));
  }
  void perform(const TunnelActions& actions) {
    for (const auto& action : actions) {
      if (const auto* inner = std::get_if<SendInner>(&action); inner != nullptr && hears) {
        to_box(device.on_gre(inner->gre, now));
      }
    }
  }
  void to_box(const DeviceEnd::Packets& packets) {
    for (const auto& packet : packets) {
      perform(box->on_inner(packet, now));
    }
  }
  void hello(tunnel::Capabilities can) {
    to_box(device.say(
        tunnel::DeviceHello{.software = "test", .name = "Phone", .capabilities = std::move(can)}, now));
  }
  void set(access::DeviceState state) {
    ASSERT_TRUE(devices.set_state(phone, state));
    perform(box->on_access(snapshot(), now));
  }

  access::DeviceList devices;
  DeviceId phone;
  Time now{1h};
  std::optional<DeviceTunnel> box;
  DeviceEnd device;
  bool hears = true;
};

TEST_F(DeviceInnerTest, OnlyWhenItSaidHelloAndTheOwnerApprovedIt) {
  EXPECT_FALSE(box->inner()) << "nothing said yet";
  hello({"tun"});
  EXPECT_FALSE(box->inner()) << "it waits for the owner";
  set(access::DeviceState::kApproved);
  EXPECT_EQ(box->inner(), kPlan.of(phone));
}

TEST_F(DeviceInnerTest, OnlyWithAnInterface) {
  set(access::DeviceState::kApproved);
  EXPECT_FALSE(box->inner());
  hello({});
  EXPECT_FALSE(box->inner());
  hello({"repair", "tun"});
  EXPECT_TRUE(box->inner());
  hello({"repair"});
  EXPECT_FALSE(box->inner()) << "it has none any more";
}

TEST_F(DeviceInnerTest, ItsMediaAreInWhatItsLastHelloAskedFor) {
  set(access::DeviceState::kApproved);
  hello({});
  EXPECT_EQ(device.received<tunnel::BoxHello>().back().encapsulation, tunnel::Form::kGre);
  to_box(device.say(tunnel::DeviceHello{.encapsulation = tunnel::Form::kAyiya}, now));
  EXPECT_EQ(device.received<tunnel::BoxHello>().back().encapsulation, tunnel::Form::kAyiya);
  EXPECT_EQ(box->encapsulation(), tunnel::Form::kAyiya);
  hello({});
  EXPECT_EQ(box->encapsulation(), tunnel::Form::kGre);
}

TEST_F(DeviceInnerTest, NotOnceTheOwnerTurnedItAway) {
  set(access::DeviceState::kApproved);
  hello({"tun"});
  ASSERT_TRUE(box->inner());
  hears = false;
  set(access::DeviceState::kRevoked);
  EXPECT_FALSE(box->inner()) << "at once, before the farewell is heard";
}

TEST_F(DeviceInnerTest, NotAfterGoodbye) {
  set(access::DeviceState::kApproved);
  hello({"tun"});
  ASSERT_TRUE(box->inner());
  hears = false;
  perform(box->end(tunnel::NoticeCode::kShutdown, "bye", now));
  EXPECT_FALSE(box->inner());
}

TEST_F(DeviceInnerTest, NotWhereTheBoxHasNoAddresses) {
  box.emplace(kPhone, phone, BoxFacts{.software = "test", .name = "Home"}, snapshot(), now);
  set(access::DeviceState::kApproved);
  hello({"tun"});
  EXPECT_FALSE(box->inner());
}

TEST_F(DeviceInnerTest, ItIsToldWhereAtHomeItMayGoAfterHelloAndOnEveryChange) {
  set(access::DeviceState::kApproved);
  hello({"tun"});
  ASSERT_EQ(device.home_hosts.size(), 1U);
  EXPECT_TRUE(device.home_hosts[0].empty()) << "nowhere, which takes the place of what it may remember";
  const HomeHosts hosts{*HomeHost::parse("192.168.1.50:80")};
  ASSERT_TRUE(devices.set_home_hosts(phone, hosts));
  perform(box->on_access(snapshot(), now));
  ASSERT_EQ(device.home_hosts.size(), 2U);
  EXPECT_EQ(device.home_hosts[1], hosts);
  EXPECT_EQ(box->home_hosts(), hosts);
  perform(box->on_access(snapshot(), now));
  EXPECT_EQ(device.home_hosts.size(), 2U) << "only news";
  hello({"tun"});
  EXPECT_EQ(device.home_hosts.size(), 3U) << "it may have forgotten";
  ASSERT_TRUE(devices.set_home_hosts(phone, {}));
  perform(box->on_access(snapshot(), now));
  EXPECT_TRUE(device.home_hosts.back().empty());
  EXPECT_TRUE(box->home_hosts().empty());
}

TEST_F(DeviceInnerTest, WithoutAnInterfaceOrApprovalItGoesNowhere) {
  ASSERT_TRUE(devices.set_home_hosts(phone, {*HomeHost::parse("192.168.1.50:80")}));
  perform(box->on_access(snapshot(), now));
  hello({"tun"});
  EXPECT_TRUE(box->home_hosts().empty()) << "it waits";
  hello({});
  set(access::DeviceState::kApproved);
  EXPECT_TRUE(box->home_hosts().empty()) << "it has no interface";
  EXPECT_TRUE(device.home_hosts.empty()) << "nor hears of it";
  hello({"tun"});
  EXPECT_FALSE(box->home_hosts().empty());
  hears = false;
  set(access::DeviceState::kRevoked);
  EXPECT_TRUE(box->home_hosts().empty());
}

}  // namespace
}  // namespace hearthcast::sessions
