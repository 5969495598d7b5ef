// What the table of accesses says, and that the simulated NATs do what it says.
#include "tests/sim/seeds/access.hpp"

#include <gtest/gtest.h>

#include "tests/sim/seeds/internet.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

Way between(std::string_view home, std::string_view away) {
  return way_between(access_named(home), access_named(away));
}

TEST(Access, ConesMeetEachOther) {
  for (const auto* home :
       {"full-cone", "address-restricted", "port-restricted", "hairpin", "carrier-grade"}) {
    for (const auto* away : {"full-cone", "address-restricted", "port-restricted", "public"}) {
      EXPECT_EQ(between(home, away), Way::kDirect) << home << " " << away;
    }
  }
}

TEST(Access, APortForEachDestinationNeedsAnEndThatLetsAnyPortIn) {
  EXPECT_EQ(between("symmetric", "full-cone"), Way::kDirect);
  EXPECT_EQ(between("symmetric", "address-restricted"), Way::kDirect);
  EXPECT_EQ(between("public", "symmetric"), Way::kDirect);
  EXPECT_EQ(between("symmetric", "port-restricted"), Way::kRelayed);
  EXPECT_EQ(between("port-restricted", "symmetric"), Way::kRelayed);
  EXPECT_EQ(between("symmetric", "symmetric"), Way::kRelayed);
  EXPECT_EQ(between("address-dependent", "port-restricted"), Way::kRelayed);
  EXPECT_EQ(between("carrier-symmetric", "carrier-grade"), Way::kRelayed);
}

TEST(Access, Ip6GoesBeforeEverythingThatIp4Has) {
  EXPECT_EQ(between("ip6-open", "ip6-firewall"), Way::kDirect);
  EXPECT_EQ(between("ip6-only", "ip6-open"), Way::kDirect);
  EXPECT_EQ(between("ip6-only", "full-cone"), Way::kNone);
}

TEST(Access, ABoxNeedsUdpAndALaptopDoesNot) {
  EXPECT_EQ(between("udp-blocked", "full-cone"), Way::kNone);
  EXPECT_EQ(between("full-cone", "udp-blocked"), Way::kRelayed);
}

// One datagram there, and an answer from where it arrived.
class Echo final : public Actor {
 public:
  explicit Echo(World& world) : world_(world) {}
  void on_datagram(const Endpoint& from, Bytes bytes, Time) override {
    came.push_back(from);
    if (answers) {
      world_.send(*this, from, bytes);
    }
  }
  void on_deadline(Time) override {}
  [[nodiscard]] Time next_deadline() const override { return kNever; }
  std::vector<Endpoint> came;
  bool answers = false;

 private:
  World& world_;
};

struct InternetTest : testing::Test {
  void build(std::string_view home, std::string_view away) {
    internet.emplace(world, access_named(home), std::vector{access_named(away)}, Wires{});
    internet->place_box(box);
    internet->place_laptop(laptop, 0);
    world.add_host(server, "192.0.2.1:7");
    world.add_host(server, "[2001:db8:9::1]:7");
    server.answers = true;
  }

  World world{9};
  std::optional<Internet> internet;
  Echo box{world}, laptop{world}, server{world};
};

TEST_F(InternetTest, TwoLevelsOfNatAreCrossedBothWays) {
  build("carrier-grade", "symmetric");
  world.send(box, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  ASSERT_EQ(server.came.size(), 1U);
  EXPECT_EQ(server.came[0].to_string(), "198.51.100.1:4755");  // the carrier's, not the house's
  EXPECT_EQ(box.came.size(), 1U);
}

TEST_F(InternetTest, AStrangerIsFilteredByEachLevel) {
  build("carrier-grade", "symmetric");
  world.send(box, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  world.inject(*Endpoint::parse("192.0.2.1:8"), *Endpoint::parse("198.51.100.1:4755"), as_bytes("psst"));
  world.run_for(1s);
  EXPECT_EQ(box.came.size(), 1U);
}

TEST_F(InternetTest, AFirewallKeepsAddressesAndLetsAnswersIn) {
  build("ip6-only", "ip6-open");
  world.inject(*Endpoint::parse("[2001:db8:9::1]:7"), *Endpoint::parse("[2001:db8:1:1::2]:4755"),
               as_bytes("psst"));
  world.run_for(1s);
  EXPECT_TRUE(box.came.empty());
  world.send(box, *Endpoint::parse("[2001:db8:9::1]:7"), as_bytes("hello"));
  world.run_for(1s);
  ASSERT_EQ(server.came.size(), 1U);
  EXPECT_EQ(server.came[0].to_string(), "[2001:db8:1:1::2]:4755");
  EXPECT_EQ(box.came.size(), 1U);
}

TEST_F(InternetTest, BlockedUdpGoesNowhere) {
  build("full-cone", "udp-blocked");
  world.send(laptop, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  EXPECT_TRUE(server.came.empty());
}

TEST_F(InternetTest, ARenumberedHomeIsElsewhereAndItsOldAddressIsNobodys) {
  build("full-cone", "public");
  world.send(box, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  EXPECT_FALSE(internet->renumber_home(box));  // behind a NAT it does not see it
  world.inject(*Endpoint::parse("192.0.2.1:7"), *Endpoint::parse("198.51.100.1:4755"), as_bytes("late"));
  world.send(box, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  EXPECT_EQ(server.came.back().to_string(), "198.51.100.2:4755");
  EXPECT_EQ(box.came.size(), 2U);
  EXPECT_EQ(internet->home_addresses(), std::vector{*IpAddress::parse("198.51.100.2")});
}

TEST_F(InternetTest, ReboundPortsAreOthers) {
  build("port-restricted", "public");
  world.send(box, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  internet->rebind_home();
  world.send(box, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
  world.run_for(1s);
  ASSERT_EQ(server.came.size(), 2U);
  EXPECT_NE(server.came[0].port, server.came[1].port);
}

TEST_F(InternetTest, NothingGetsThroughACutWireOfAnyAccess) {
  for (const Access& access : accesses()) {
    World cut(3);
    Internet net(cut, access, {access}, {});
    Echo one(cut), far(cut);
    far.answers = true;
    cut.add_host(far, "192.0.2.1:7");
    cut.add_host(far, "[2001:db8:9::1]:7");
    net.place_box(one);
    const auto say = [&] {
      cut.send(one, *Endpoint::parse("192.0.2.1:7"), as_bytes("hello"));
      cut.send(one, *Endpoint::parse("[2001:db8:9::1]:7"), as_bytes("hello"));
      cut.run_for(1s);
    };
    net.set_home_down(one, true);
    say();
    EXPECT_TRUE(far.came.empty()) << access.name;
    net.set_home_down(one, false);
    say();
    EXPECT_EQ(far.came.empty(), access.blocks_udp()) << access.name;
    EXPECT_EQ(one.came.size(), far.came.size()) << access.name;
  }
}

TEST(Duplicates, ComeAsOftenAsTheWireSays) {
  World world(5);
  Echo one(world), two(world);
  world.add_host(one, "192.0.2.1:7", std::nullopt, {.duplicates = 0.25});
  world.add_host(two, "192.0.2.2:7");
  for (int i = 0; i < 1000; ++i) {
    world.send(one, *Endpoint::parse("192.0.2.2:7"), as_bytes("hello"));
  }
  world.run_for(1s);
  EXPECT_NEAR(static_cast<double>(two.came.size()), 1250, 50);
}

}  // namespace
}  // namespace hearthcast::sim
