// The rendezvous and the relay of the scenarios do what the two ends rely on, and fail as they should.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/seeds/home.hpp"
#include "tests/sim/seeds/internet.hpp"
#include "tests/sim/seeds/laptop.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

struct Household {
  Household(std::string_view home_access, std::string_view away, Link wire = {})
      : internet(world, access_named(home_access), {access_named(away), access_named("public")},
                 {wire, wire}) {
    internet.place_box(home.box());
    internet.place_laptop(laptop, 0);
    laptop.on_media = [this](std::uint32_t, const Endpoint& from) {
      ++media;
      last_from = from;
    };
    home.start();
    laptop.start();
    laptop.watch(Home::kFlow);
  }
  bool plays(Duration limit) {
    const auto before = media;
    for (const Time end = world.now() + limit; media == before && world.now() < end;) {
      home.box().carry(Home::kFlow, 160);
      world.run_for(10ms);
    }
    return media > before;
  }
  void move(std::size_t network) {
    world.remove_host(laptop);
    internet.place_laptop(laptop, network);
    laptop.on_network_change();
  }

  World world{12};
  secure::OpenSslIdentity box_key = secure::make_identity();
  secure::OpenSslIdentity laptop_key = secure::make_identity();
  Internet internet;
  Rendezvous rendezvous{world, laptop_key.id()};
  TurnServer relay{world};
  Home home{world, rendezvous, box_key, laptop_key};
  Laptop laptop{world, rendezvous, relay, laptop_key, box_key};
  std::size_t media = 0;
  Endpoint last_from;
};

TEST(Household, MeetsThroughTheRendezvousAndPlays) {
  Household t("port-restricted", "carrier-grade");
  ASSERT_TRUE(t.plays(3s));
  EXPECT_FALSE(t.laptop.is_relayed());
  EXPECT_EQ(t.last_from.to_string(), "198.51.100.1:4755");
  EXPECT_EQ(t.rendezvous.largest_growth(), 0U);
}

TEST(Household, WithoutARendezvousNobodyIsIntroduced) {
  Household t("port-restricted", "port-restricted");
  t.rendezvous.set_up(false);
  EXPECT_FALSE(t.plays(20s));
  EXPECT_FALSE(t.rendezvous.joined(Side::kBox));
  t.rendezvous.set_up(true);
  EXPECT_TRUE(t.plays(10s));
}

TEST(Household, GoesThroughTheRelayWhereNothingElseDoes) {
  Household t("symmetric", "symmetric");
  ASSERT_TRUE(t.plays(5s));
  EXPECT_TRUE(t.laptop.is_relayed());
  EXPECT_EQ(t.relay.allocations(), 1U);
}

TEST(Household, GoesThroughTheRelayOnAStreamWhereUdpIsBlocked) {
  Household t("port-restricted", "udp-blocked");
  ASSERT_TRUE(t.plays(8s));
  EXPECT_TRUE(t.laptop.is_relayed());
  EXPECT_EQ(t.relay.allocations(), 0U) << "over UDP nothing came to it";
}

TEST(Household, LeavesTheStreamAtOnceOnANetworkThatLetsUdpThrough) {
  Household t("full-cone", "udp-blocked");
  ASSERT_TRUE(t.plays(8s));
  t.move(1);
  ASSERT_TRUE(t.world.run_until([&] { return !t.laptop.is_relayed() && t.laptop.connected(); }, 20s));
  EXPECT_TRUE(t.plays(5s));
}

TEST(Household, AStreamWaitsForACutWireAndLosesNothing) {
  Household t("port-restricted", "udp-blocked");
  ASSERT_TRUE(t.plays(8s));
  t.world.run_for(500ms);  // what is on its way
  const auto before = t.media;
  t.internet.set_network_down(t.laptop, 0, true);
  for (int i = 0; i < 20; ++i) {
    t.home.box().carry(Home::kFlow, 160);
  }
  t.world.run_for(500ms);
  EXPECT_EQ(t.media, before);
  t.internet.set_network_down(t.laptop, 0, false);
  t.world.run_for(1s);
  EXPECT_EQ(t.media, before + 20);
}

TEST(Household, ARestartedBoxFindsItsLaptopAgain) {
  Household t("port-restricted", "port-restricted");
  ASSERT_TRUE(t.plays(3s));
  t.home.stop();
  t.world.run_for(2s);
  t.internet.place_box(t.home.box());
  t.home.start();
  EXPECT_TRUE(t.plays(10s));
  EXPECT_EQ(t.laptop.sessions_made(), 2);
}

TEST(Household, AJoinNeedsAWireToTheRendezvous) {
  Household t("port-restricted", "port-restricted");
  t.internet.set_network_down(t.laptop, 0, true);
  t.world.run_for(10s);
  EXPECT_TRUE(t.rendezvous.joined(Side::kBox));
  EXPECT_FALSE(t.rendezvous.joined(Side::kLaptop));
  t.internet.set_network_down(t.laptop, 0, false);
  t.world.run_for(5s);
  EXPECT_TRUE(t.rendezvous.joined(Side::kLaptop));
}

}  // namespace
}  // namespace hearthcast::sim
