// The client's own link against the box's own sessions, behind NATs, in virtual time: both ends are the
// product.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/box_actor.hpp"
#include "tests/sim/ice_peer.hpp"
#include "tests/sim/link_actor.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

const FlowKey kNews{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};
const std::string kHomeAddress = "192.168.1.2:4755";
const std::string kHomeMapped = "198.51.100.1:4755";
const std::string kAwayMapped = "203.0.113.1:40000";

struct LinkTest : testing::Test {
  explicit LinkTest(Link wire = {}) {
    home = world.add_nat(kPortRestricted, "198.51.100.1", wire);
    away_nat = world.add_nat(kPortRestricted, "203.0.113.1", wire);
    box = new_box();
    world.add_host(*box, kHomeAddress, home);
    world.add_host(laptop, "192.168.7.3:40000", away_nat);
  }
  std::unique_ptr<BoxActor> new_box() {
    auto made = std::make_unique<BoxActor>(world, box_identity);
    news = made->add_channel("News", kNews);
    device = made->pair(laptop_identity, "Laptop");
    return made;
  }
  void introduce() {
    box->sessions->on_candidates(laptop_identity.id(), {srflx(kAwayMapped)}, world.now());
    laptop.learn({srflx(kHomeMapped)});
  }
  bool connect(Duration limit = 5s) {
    introduce();
    return world.run_until([&] { return laptop.connected(); }, limit);
  }
  bool plays(Duration limit) {
    const auto before = laptop.media;
    const Time end = world.now() + limit;
    while (laptop.media == before && world.now() < end) {
      box->carry(kNews);
      world.run_for(10ms);
    }
    return laptop.media > before;
  }
  void play_for(Duration time) {
    for (const Time end = world.now() + time; world.now() < end; world.run_for(10ms)) {
      box->carry(kNews);
    }
  }
  // As after kill -9: nothing said goodbye; the store remembers the device and where it was.
  void restart_box(Duration down) {
    world.remove_host(*box);
    world.run_for(down);
    box = new_box();
    box->approve(device, {news});
    world.add_host(*box, kHomeAddress, home);
    box->sessions->lurk(device, *Endpoint::parse(kAwayMapped), world.now());
  }

  World world{78};
  secure::OpenSslIdentity box_identity = secure::make_identity();
  secure::OpenSslIdentity laptop_identity = secure::make_identity();
  std::unique_ptr<BoxActor> box;
  LinkActor laptop{world, laptop_identity, box_identity};
  int home = 0, away_nat = 0;
  ChannelId news;
  DeviceId device;
};

TEST_F(LinkTest, ConnectsListsPlaysAndLeaves) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  EXPECT_EQ(laptop.link->status().hello->name, "Home");
  EXPECT_EQ(laptop.paths.back().to_string(), kHomeMapped);
  laptop.watch(kNews);
  ASSERT_TRUE(plays(1s));
  ASSERT_EQ(laptop.lists.size(), 1U);
  EXPECT_EQ(laptop.lists[0].channels.at(0).flow, kNews);
  laptop.link->unwant(kNews, world.now());
  EXPECT_TRUE(world.run_until([&] { return box->joined().empty(); }, 1s));
}

TEST_F(LinkTest, AWishBeforeTheConnectionIsFulfilledAfterIt) {
  box->approve(device, {news});
  laptop.watch(kNews);
  ASSERT_TRUE(connect());
  EXPECT_TRUE(plays(1s));
}

TEST_F(LinkTest, APendingDeviceIsToldAndGoesOnWhenApproved) {
  ASSERT_TRUE(connect());
  EXPECT_EQ(laptop.link->status().hello->state, tunnel::DeviceState::kPending);
  box->approve(device, {news});
  ASSERT_TRUE(world.run_until(
      [&] { return laptop.link->status().hello->state == tunnel::DeviceState::kApproved; }, 2s));
  laptop.watch(kNews);
  EXPECT_TRUE(plays(1s));
}

TEST_F(LinkTest, ARevokedDeviceIsCutAndRemembersWhy) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  laptop.watch(kNews);
  ASSERT_TRUE(plays(1s));
  box->revoke(device);
  world.run_for(200ms);  // what was on its way
  EXPECT_FALSE(plays(3s));
  ASSERT_TRUE(laptop.link->status().notice);
  EXPECT_EQ(laptop.link->status().notice->code, tunnel::NoticeCode::kRevoked);
  world.run_for(10min);
  EXPECT_TRUE(laptop.link->status().notice ||
              laptop.link->status().hello->state == tunnel::DeviceState::kRevoked);
  EXPECT_FALSE(plays(1s));
}

TEST_F(LinkTest, ARestartedBoxPlaysOnWithinFiveSeconds) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  laptop.watch(kNews);
  ASSERT_TRUE(plays(1s));
  play_for(20s);
  int restarts = 0;
  for (const auto down : {300ms, 1500ms, 3000ms, 4000ms, 8000ms}) {
    const Time killed = world.now();
    restart_box(down);
    ASSERT_TRUE(plays(10s));
    EXPECT_LE(world.now() - killed, std::max<Duration>(4s, down + 1s))
        << "down for " << down.count() << " ms";
    play_for(10s);
    EXPECT_EQ(laptop.sessions, ++restarts + 1);
  }
}

TEST_F(LinkTest, AnIdleClientNoticesARestartedBox) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  world.run_for(60s);
  restart_box(1s);
  EXPECT_TRUE(world.run_until([&] { return laptop.sessions == 2 && laptop.connected(); }, 20s));
  laptop.watch(kNews);
  EXPECT_TRUE(plays(1s));
}

TEST_F(LinkTest, ABoxThatComesBackAfterHoursIsFound) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  world.remove_host(*box);
  world.run_for(4h);
  EXPECT_FALSE(laptop.connected());
  EXPECT_THAT(laptop.link->status().text, testing::HasSubstr("looking for the box"));
  box = new_box();
  box->approve(device, {news});
  world.add_host(*box, kHomeAddress, home);
  box->sessions->lurk(device, *Endpoint::parse(kAwayMapped), world.now());
  EXPECT_TRUE(world.run_until([&] { return laptop.connected(); }, 90s));
}

TEST_F(LinkTest, AnIdleSessionIsQuietAndStable) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  const auto before = world.traffic(laptop).packets_out;
  world.run_for(1h);
  EXPECT_TRUE(laptop.connected());
  EXPECT_EQ(laptop.sessions, 1);
  EXPECT_LT(world.traffic(laptop).packets_out - before, 3600U) << "less than a packet a second";
}

// Counts what the laptop seals while it has no path.
class BlindRecords final : public Observer {
 public:
  explicit BlindRecords(const LinkActor& laptop) : laptop_(laptop) {}
  void on_sent(const Actor& origin, const Endpoint&, Bytes bytes, Time) override {
    constexpr std::uint8_t kApplicationData = 23;
    count += &origin == &laptop_ && bytes[0] == kApplicationData && !laptop_.link->has_path();
  }
  void on_wire(const Endpoint&, const Endpoint&, Bytes, Time) override {}
  void on_delivered(const Actor&, const Actor*, const Endpoint&, Bytes, Time) override {}
  void on_stray(const Actor*, const Endpoint&, Bytes, Time) override {}
  int count = 0;

 private:
  const LinkActor& laptop_;
};

TEST_F(LinkTest, AfterAStandstillNothingIsSentToWhereTheBoxWas) {
  box->approve(device, {news});
  ASSERT_TRUE(connect());
  laptop.watch(kNews);
  ASSERT_TRUE(plays(1s));
  BlindRecords records(laptop);
  world.set_observer(&records);
  world.remove_host(laptop);  // nothing of it runs
  world.run_for(40s);
  world.add_host(laptop, "192.168.7.3:40000", away_nat);
  EXPECT_TRUE(plays(20s));
  EXPECT_EQ(records.count, 0) << "consent was gone";
  world.set_observer(nullptr);
}

struct LossyLinkTest : LinkTest {
  LossyLinkTest() : LinkTest({.delay = 20ms, .jitter = 20ms, .loss = 0.05}) {}
};

TEST_F(LossyLinkTest, TwoLossyAccessLinesAreNoReasonToReconnect) {
  box->approve(device, {news});
  ASSERT_TRUE(connect(20s));
  laptop.watch(kNews);
  ASSERT_TRUE(plays(5s));
  play_for(60s);
  EXPECT_GT(laptop.media, 5000U);
  EXPECT_LE(laptop.sessions, 2);
}

}  // namespace
}  // namespace hearthcast::sim
