// The box's sessions and the client's link on paths of every size, in virtual time: the box finds the size
// out, tells its data thread, and notices when it shrinks while the device watches.
#include <gtest/gtest.h>

#include "tests/sim/box_actor.hpp"
#include "tests/sim/ice_peer.hpp"
#include "tests/sim/link_actor.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

const FlowKey kNews{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};

struct PathSizeSim : testing::Test {
  PathSizeSim() {
    news = box.add_channel("News", kNews);
    device = box.pair(laptop_identity, "Laptop");
    box.approve(device, {news});
    world.add_host(box, "192.168.1.2:4755", home);
    world.add_host(laptop, "192.168.7.3:40000", away_nat);
  }
  void set_mtu(std::size_t mtu) { world.uplink(away_nat).mtu = mtu; }
  bool connect() {
    box.sessions->on_candidates(laptop_identity.id(), {srflx("203.0.113.1:40000")}, world.now());
    laptop.learn({srflx("198.51.100.1:4755")});
    return world.run_until([&] { return laptop.connected(); }, 10s);
  }
  std::optional<std::uint16_t> path_mtu() { return box.sessions->devices().at(0).path_mtu; }
  std::size_t limit() { return box.frame_limits.empty() ? 0 : box.frame_limits.rbegin()->second; }
  // What a datagram of this GRE size needs on the wire.
  static std::size_t on_the_wire(std::size_t gre) { return gre + 28 + 37; }

  World world{4};
  secure::OpenSslIdentity box_identity = secure::make_identity();
  secure::OpenSslIdentity laptop_identity = secure::make_identity();
  int home = world.add_nat(kPortRestricted, "198.51.100.1");
  int away_nat = world.add_nat(kPortRestricted, "203.0.113.1");
  BoxActor box{world, box_identity};
  LinkActor laptop{world, laptop_identity, box_identity};
  ChannelId news;
  DeviceId device;
};

TEST_F(PathSizeSim, IsKnownWithTheFirstReport) {
  laptop.can = {"compact", "probe"};
  set_mtu(1428);
  ASSERT_TRUE(connect());
  laptop.watch(kNews);
  ASSERT_TRUE(world.run_until([&] { return box.joins[kNews] > 0; }, 5s));
  world.run_for(5ms);  // the answers to the probes came right behind the report
  EXPECT_EQ(path_mtu(), 1428);
  EXPECT_EQ(limit(), 1428U - 28 - 37);
  world.run_for(2s);
  EXPECT_EQ(laptop.link->status().path_mtu, 1428) << "the device is told";
}

TEST_F(PathSizeSim, AnySizeIsFoundToFourOctets) {
  laptop.can = {"compact", "probe"};
  set_mtu(1373);
  ASSERT_TRUE(connect());
  world.run_for(30s);
  ASSERT_TRUE(path_mtu());
  EXPECT_LE(*path_mtu(), 1373);
  EXPECT_GT(*path_mtu(), 1369);
  EXPECT_LE(on_the_wire(limit()), 1373U);
}

TEST_F(PathSizeSim, AShrunkenPathIsLeftWithinSecondsWhileADeviceWatches) {
  laptop.can = {"compact", "probe"};
  ASSERT_TRUE(connect());
  laptop.watch(kNews);
  world.run_for(10s);
  EXPECT_EQ(path_mtu(), 1500);
  set_mtu(1300);
  const Time shrunk = world.now();
  ASSERT_TRUE(world.run_until([&] { return on_the_wire(limit()) <= 1300; }, 10s));
  EXPECT_LE(world.now() - shrunk, 4s);
  world.run_for(30s);
  EXPECT_EQ(laptop.sessions, 1) << "nothing else noticed";
  EXPECT_GT(*path_mtu(), 1296);
}

TEST_F(PathSizeSim, ADeviceThatListsNothingIsNotProbed) {
  set_mtu(1400);
  ASSERT_TRUE(connect());
  world.run_for(30s);
  EXPECT_FALSE(path_mtu());
  EXPECT_TRUE(box.frame_limits.empty());
}

TEST_F(PathSizeSim, ANewSessionBeginsAnew) {
  laptop.can = {"compact", "probe"};
  ASSERT_TRUE(connect());
  world.run_for(5s);
  EXPECT_EQ(path_mtu(), 1500);
  world.remove_host(laptop);
  set_mtu(1428);
  LinkActor again(world, laptop_identity, box_identity);
  again.can = laptop.can;
  world.add_host(again, "192.168.7.3:40000", away_nat);
  again.learn({srflx("198.51.100.1:4755")});
  ASSERT_TRUE(world.run_until([&] { return again.connected(); }, 60s));
  world.run_for(1s);
  EXPECT_EQ(path_mtu(), 1428);
  EXPECT_EQ(limit(), 1428U - 28 - 37);
}

}  // namespace
}  // namespace hearthcast::sim
