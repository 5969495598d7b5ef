#include "appliance/app/box_interface.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/linux/multicast_socket.hpp"  // messages own one
#include "tunnelmgr/secure/dtls_session.hpp"     // the same

namespace hearthcast::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr PeerId kOne{1};
constexpr PeerId kTwo{2};
const Time kNow(1h);

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const tunnel::InnerAddresses kAtOne{ip("fd01:0:0:1::2"), ip("fd01:0:0:1::1"), ip("10.203.0.3"),
                                    ip("10.203.0.1")};
const tunnel::InnerAddresses kAtTwo{ip("fd01:0:0:2::2"), ip("fd01:0:0:2::1"), ip("10.203.0.4"),
                                    ip("10.203.0.1")};

class CountingLog : public Log {
 public:
  void write(Level level, std::string_view, std::initializer_list<hearthcast::Field>) override {
    warnings += level == Level::kWarning;
  }
  int warnings = 0;
};

// A machine that does as it is told, and a data thread that remembers what it is told.
struct InterfaceTest : testing::Test {
  InterfaceTest() {
    BoxInterfacePorts ports;
    ports.open_tun = [this](unsigned mtu) -> Result<linux::OpenedTun, Failure> {
      ++opened;
      EXPECT_EQ(mtu, 1280U);
      if (!can_open) {
        return Failure{"not allowed"};
      }
      return linux::OpenedTun{linux::Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)), 9};
    };
    ports.add_address = [this](int, const IpAddress& address, unsigned length) -> Result<void, Failure> {
      if (refused == address) {
        return Failure{"the address is refused"};
      }
      EXPECT_TRUE(has.insert(address.to_string() + "/" + std::to_string(length)).second) << "added twice";
      return boost::system::in_place_value;
    };
    ports.remove_address = [this](int, const IpAddress& address, unsigned length) {
      EXPECT_EQ(has.erase(address.to_string() + "/" + std::to_string(length)), 1U);
    };
    ports.add_route = [this](int, const Prefix& to) -> Result<void, Failure> {
      EXPECT_TRUE(has.insert("to " + to.to_string()).second) << "added twice";
      return boost::system::in_place_value;
    };
    ports.remove_route = [this](int, const Prefix& to) { EXPECT_EQ(has.erase("to " + to.to_string()), 1U); };
    ports.post = [this](forward::Down message) {
      if (const auto* admit = std::get_if<forward::AdmitInner>(&message)) {
        told.push_back("admit " + std::to_string(admit->peer.value));
      } else if (const auto* expel = std::get_if<forward::ExpelInner>(&message)) {
        told.push_back("expel " + std::to_string(expel->peer.value));
      } else if (const auto* serve = std::get_if<forward::ServeInner>(&message)) {
        told.push_back("serve " + std::to_string(serve->tcp_ports.size()));
      } else if (const auto* open = std::get_if<forward::OpenInner>(&message)) {
        told.push_back(open->tun ? "open" : "open nothing");
      }
    };
    ports.interfaces = [this] { return home; };
    box.emplace(std::move(ports), log);
  }
  void at_home(const char* address, unsigned prefix) {
    linux::Interface one;
    one.addresses.push_back({ip(address), prefix});
    home.push_back(one);
  }
  CountingLog log;
  bool can_open = true;
  std::optional<IpAddress> refused;
  int opened = 0;
  std::set<std::string> has;
  std::vector<std::string> told;
  std::vector<linux::Interface> home;
  std::optional<BoxInterface> box;
};

TEST_F(InterfaceTest, ThereIsNoInterfaceBeforeADeviceNeedsIt) {
  box->serve({8871}, kNow);
  EXPECT_EQ(opened, 0);
  EXPECT_EQ(box->name(), "");
  EXPECT_THAT(told, ElementsAre("serve 1"));
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_EQ(opened, 1);
  EXPECT_THAT(told, ElementsAre("serve 1", "admit 1", "open"));
  EXPECT_THAT(has, ElementsAre("10.203.0.1/32", "fd01:0:0:1::1/64", "to 10.203.0.3"));
  EXPECT_EQ(box->devices(), 1U);
  EXPECT_EQ(log.warnings, 0);
}

TEST_F(InterfaceTest, WhereNothingIsServedThereIsNone) {
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_EQ(opened, 0);
  box->serve({}, kNow);
  EXPECT_EQ(opened, 0);
  box->serve({8871}, kNow);
  EXPECT_EQ(opened, 1);
}

TEST_F(InterfaceTest, WhatOneDeviceNeedsGoesWithItAtOnce) {
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  box->on_device(kTwo, kAtTwo, {}, kNow);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(has.size(), 5U);
  box->on_device(kOne, std::nullopt, {}, kNow);
  EXPECT_THAT(has, ElementsAre("10.203.0.1/32", "fd01:0:0:2::1/64", "to 10.203.0.4"));
  EXPECT_EQ(told.back(), "expel 1");
  box->on_device(kTwo, std::nullopt, {}, kNow);
  EXPECT_THAT(has, IsEmpty());
  EXPECT_EQ(box->devices(), 0U);
  box->on_device(kTwo, kAtTwo, {}, kNow);
  EXPECT_EQ(has.size(), 3U);
  EXPECT_EQ(opened, 1) << "the interface stays, without an address";
}

TEST_F(InterfaceTest, ADeviceThatWasNeverThereDoesNothing) {
  box->serve({8871}, kNow);
  box->on_device(kOne, std::nullopt, {}, kNow);
  EXPECT_THAT(told, ElementsAre("serve 1"));
}

TEST_F(InterfaceTest, ANewSessionOfADeviceKeepsItsAddresses) {
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  box->on_device(kTwo, kAtOne, {}, kNow);  // the same device's next session, before the former is gone
  box->on_device(kOne, std::nullopt, {}, kNow);
  EXPECT_THAT(has, ElementsAre("10.203.0.1/32", "fd01:0:0:1::1/64", "to 10.203.0.3"));
}

TEST_F(InterfaceTest, AnAddressOfTheNetworkAtHomeIsLeftToIt) {
  at_home("10.203.0.200", 24);
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_THAT(has, ElementsAre("fd01:0:0:1::1/64")) << "IPv6 only";
  EXPECT_THAT(box->trouble(), HasSubstr("network.inner_ip4"));
  EXPECT_EQ(log.warnings, 1);
  box->on_network_change(kNow);
  EXPECT_EQ(log.warnings, 1) << "said once";
}

TEST_F(InterfaceTest, TheNetworkAtHomeMayChangeMeanwhile) {
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  at_home("192.168.1.2", 24);
  box->on_network_change(kNow);
  EXPECT_EQ(has.size(), 3U);
  at_home("10.1.2.3", 8);
  box->on_network_change(kNow);
  EXPECT_THAT(has, ElementsAre("fd01:0:0:1::1/64"));
  home.clear();
  box->on_network_change(kNow);
  EXPECT_EQ(has.size(), 3U);
  EXPECT_EQ(box->trouble(), "") << "it is over";
}

TEST_F(InterfaceTest, WithoutPermissionTheBoxWorksOnAndTriesAgainLater) {
  can_open = false;
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_THAT(box->trouble(), HasSubstr("not allowed"));
  EXPECT_EQ(log.warnings, 1);
  box->on_device(kTwo, kAtTwo, {}, kNow + 1s);
  EXPECT_EQ(opened, 1) << "not for each device";
  can_open = true;
  box->on_network_change(kNow + BoxInterface::kRetry);
  EXPECT_EQ(opened, 2);
  EXPECT_EQ(has.size(), 5U);
  EXPECT_EQ(box->trouble(), "");
}

TEST_F(InterfaceTest, AnAddressThatTheKernelRefusesIsTriedAgainAndTold) {
  refused = kAtOne.box_ip6;
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_THAT(box->trouble(), HasSubstr("refused"));
  refused.reset();
  box->on_device(kTwo, kAtTwo, {}, kNow);
  EXPECT_EQ(has.size(), 5U);
}

TEST_F(InterfaceTest, ItKnowsTheDevicesByTheirAddresses) {
  box->serve({8871}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_TRUE(box->is_device(kAtOne.ip6));
  EXPECT_TRUE(box->is_device(kAtOne.ip4));
  EXPECT_FALSE(box->is_device(kAtOne.box_ip4));
  EXPECT_FALSE(box->is_device(kAtTwo.ip6));
  box->on_device(kOne, std::nullopt, {}, kNow);
  EXPECT_FALSE(box->is_device(kAtOne.ip6));
}

TEST_F(InterfaceTest, WhereNothingIsServedItIsThereForThoseWhoMayGoToHostsAtHome) {
  box->serve({}, kNow);
  box->on_device(kOne, kAtOne, {}, kNow);
  EXPECT_EQ(opened, 0);
  box->on_device(kTwo, kAtTwo, {*HomeHost::parse("192.168.1.50:80")}, kNow);
  EXPECT_EQ(opened, 1);
  EXPECT_THAT(has, ElementsAre("10.203.0.1/32", "fd01:0:0:2::1/64", "to 10.203.0.4"));
  box->on_device(kTwo, kAtTwo, {}, kNow);
  EXPECT_THAT(has, IsEmpty());
}

}  // namespace
}  // namespace hearthcast::app
