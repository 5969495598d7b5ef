// What must still be true after hours and days of virtual time.
#include <gtest/gtest.h>

#include "tests/sim/ice_peer.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

struct Home {  // the pair of connect_test.cpp, already connected
  explicit Home(NatKind kind = kPortRestricted, Link link = {}) : world(11) {
    home_nat = world.add_nat(kind, "198.51.100.1", link);
    away_nat = world.add_nat(kind, "203.0.113.1", link);
    world.add_host(box, "192.168.1.2:4755", home_nat);
    world.add_host(device, "192.168.7.3:40000", away_nat);
    world.add_host(rendezvous, "192.0.2.9:3478");
    box.register_at(*Endpoint::parse("192.0.2.9:3478"));
    device.register_at(*Endpoint::parse("192.0.2.9:3478"));
    box.learn({srflx("203.0.113.1:40000")});
    device.learn({srflx("198.51.100.1:4755")});
    connected = world.run_until([&] { return box.connected() && device.connected(); }, 5s);
  }

  World world;
  IcePeer box{world, nat::Role::kControlled};
  IcePeer device{world, nat::Role::kControlling};
  PresenceServer rendezvous{world};
  int home_nat = 0, away_nat = 0;
  bool connected = false;
};

TEST(Endurance, MappingsStayOpenOverADayOfIdling) {
  Home t;
  ASSERT_TRUE(t.connected);
  const auto home_made = t.world.nat(t.home_nat).mappings_made();
  const auto away_made = t.world.nat(t.away_nat).mappings_made();
  t.world.run_for(24h);
  EXPECT_EQ(t.world.nat(t.home_nat).mappings_made(), home_made);
  EXPECT_EQ(t.world.nat(t.away_nat).mappings_made(), away_made);
  EXPECT_EQ(t.box.history().size(), 1U);
  EXPECT_EQ(t.device.history().size(), 1U);
  EXPECT_EQ(t.box.mappings().size(), 1U);
}

TEST(Endurance, PresenceAloneKeepsTheHomesMapping) {
  World world(2);
  const int nat = world.add_nat(kPortRestricted, "198.51.100.1");
  IcePeer box(world, nat::Role::kControlled);
  PresenceServer rendezvous(world);
  world.add_host(box, "192.168.1.2:4755", nat);
  world.add_host(rendezvous, "192.0.2.9:3478");
  box.register_at(world.address_of(rendezvous));
  world.run_for(24h);
  EXPECT_EQ(world.nat(nat).mappings_made(), 1U);
  EXPECT_NEAR(static_cast<double>(rendezvous.requests), 24 * 3600 / 20.0, 200);
  EXPECT_EQ(rendezvous.largest_growth, 0U);  // never an answer larger than its request
}

TEST(Endurance, ConsentExpiresThirtySecondsAfterTheLastAnswer) {
  Home t;
  ASSERT_TRUE(t.connected);
  t.world.run_for(1min);
  t.world.remove_host(t.box);
  const Time gone = t.world.now();
  ASSERT_TRUE(t.world.run_until([&] { return !t.device.connected(); }, 1min));
  EXPECT_GE(t.world.now() - gone, 23s);  // the last answer may be one consent interval old
  EXPECT_LE(t.world.now() - gone, 30s);
  EXPECT_FALSE(t.device.history().back().path);
}

TEST(Endurance, AwayReturnsAfterHoursWithNoRendezvous) {
  Home t;
  ASSERT_TRUE(t.connected);
  t.rendezvous.up = false;
  t.world.remove_host(t.device);
  t.world.run_for(6h);
  EXPECT_FALSE(t.box.connected());
  // The laptop wakes with its port, and knows where the box was. Its NAT has forgotten everything.
  IcePeer returned(t.world, nat::Role::kControlling);
  t.world.add_host(returned, "192.168.7.3:40000", t.away_nat);
  returned.learn({srflx("198.51.100.1:4755")});
  EXPECT_TRUE(t.world.run_until([&] { return t.box.connected() && returned.connected(); }, 20s));
}

TEST(Endurance, TheBoxLurksForADayAndThenIsQuiet) {
  Home t;
  ASSERT_TRUE(t.connected);
  t.world.remove_host(t.device);
  t.world.run_for(23h);
  std::size_t before = t.box.agent().counters().checks_sent;
  t.world.run_for(10min);
  EXPECT_NEAR(static_cast<double>(t.box.agent().counters().checks_sent - before), 40, 8);
  t.world.run_for(2h);
  before = t.box.agent().counters().checks_sent;
  t.world.run_for(3h);
  EXPECT_EQ(t.box.agent().counters().checks_sent, before);
}

TEST(Endurance, ARestartedBoxFindsItsDeviceFromTheStoredEndpoint) {
  Home t;
  ASSERT_TRUE(t.connected);
  t.rendezvous.up = false;
  t.world.remove_host(t.box);
  t.world.run_for(1s);
  IcePeer restarted(t.world, nat::Role::kControlled);
  t.world.add_host(restarted, "192.168.1.2:4755", t.home_nat);
  restarted.lurk(*Endpoint::parse("203.0.113.1:40000"));
  // The device never noticed: its checks name the path again.
  ASSERT_TRUE(t.world.run_until([&] { return restarted.connected(); }, 7s));
  t.world.run_for(2min);
  EXPECT_EQ(t.device.history().size(), 1U);
}

TEST(Endurance, TheControllingEndNeverGivesUp) {
  Home t;
  ASSERT_TRUE(t.connected);
  t.world.remove_host(t.box);
  t.world.run_for(24h);
  ASSERT_FALSE(t.device.connected());
  t.world.add_host(t.box, "192.168.1.2:4755", t.home_nat);
  t.box.learn({srflx("203.0.113.1:40000")});
  EXPECT_TRUE(t.world.run_until([&] { return t.device.connected(); }, 1min));
}

TEST(Endurance, SilenceMakesTheDeviceLookAtOnce) {
  Home t;
  ASSERT_TRUE(t.connected);
  t.world.run_for(1min);
  // The home got another address: the NAT of the box is another one now, and the box's checks show it.
  const int moved = t.world.add_nat(kFullCone, "198.51.100.99");
  t.world.remove_host(t.box);
  t.world.add_host(t.box, "192.168.1.2:4755", moved);
  const auto sent = t.device.sent_at().size();
  t.device.silence();
  EXPECT_EQ(t.device.sent_at().size(), sent + 1);
  t.device.learn({srflx("198.51.100.99:4755")});
  t.box.learn({srflx("203.0.113.1:40000")});
  ASSERT_TRUE(t.world.run_until(
      [&] { return t.device.agent().selected() == Endpoint::parse("198.51.100.99:4755"); }, 3s));
}

TEST(Endurance, PresenceNoticesADeadServerAndANewMapping) {
  Home t;
  t.rendezvous.up = false;
  t.world.run_for(5min);
  EXPECT_EQ(t.box.presence_lost(), 1);
  t.rendezvous.up = true;
  t.world.nat(t.home_nat).forget_everything();
  t.world.run_for(1min);
  EXPECT_EQ(t.rendezvous.requests > 2, true);
  EXPECT_EQ(t.box.mappings().back().to_string(), "198.51.100.1:4755");
}

}  // namespace
}  // namespace hearthcast::sim
