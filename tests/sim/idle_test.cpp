// A device that is connected and watches nothing: how little both ends say, that no NAT forgets them
// meanwhile, and that what is asked for then comes as soon as ever. Both ends are the product.
#include <gtest/gtest.h>

#include "tests/sim/box_actor.hpp"
#include "tests/sim/ice_peer.hpp"
#include "tests/sim/link_actor.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

const FlowKey kNews{*IpAddress::parse("2001:db8::5"), *IpAddress::parse("ff3e::1234"), 5000};
constexpr double kMostPackets = 10;  // a minute, the box's presence at the rendezvous included
constexpr double kOfPresence = 60.0 / 20;

struct IdleHome {
  explicit IdleHome(NatKind home_kind = kPortRestricted, NatKind away_kind = kPortRestricted,
                    Link wire = {}) {
    home = world.add_nat(home_kind, "198.51.100.1", wire);
    away = world.add_nat(away_kind, "203.0.113.1", wire);
    world.add_host(rendezvous, "192.0.2.9:3478");
    box.approve(box.pair(laptop_identity, "Laptop"), {box.add_channel("News", kNews)});
    world.add_host(box, "192.168.1.2:4755", home);
    world.add_host(laptop, "192.168.7.3:40000", away);
    box.sessions->start_presence(
        {.server = world.address_of(rendezvous), .username = "home", .password = rendezvous.password},
        world.now());
    box.sessions->on_rendezvous(true, world.now());
  }
  [[nodiscard]] bool connect() {
    box.sessions->on_candidates(laptop_identity.id(), {srflx("203.0.113.1:40000")}, world.now());
    laptop.learn({srflx("198.51.100.1:4755")});
    return world.run_until([&] { return laptop.connected(); }, 20s);
  }
  // Until media come.
  [[nodiscard]] Duration join() {
    const auto before = laptop.media;
    const Time asked = world.now();
    laptop.watch(kNews);
    while (laptop.media == before && world.now() < asked + 10s) {
      box.carry(kNews);
      world.run_for(1ms);
    }
    return world.now() - asked;
  }
  void leave() {
    laptop.link->unwant(kNews, world.now());
    world.run_for(1s);
  }
  [[nodiscard]] double packets_a_minute(const Actor& actor, Duration time) {
    const auto before = world.traffic(actor).packets_out;
    world.run_for(time);
    return static_cast<double>(world.traffic(actor).packets_out - before) * 60 /
           std::chrono::duration<double>(time).count();
  }

  World world{21};
  secure::OpenSslIdentity box_identity = secure::make_identity();
  secure::OpenSslIdentity laptop_identity = secure::make_identity();
  PresenceServer rendezvous{world};
  BoxActor box{world, box_identity};
  LinkActor laptop{world, laptop_identity, box_identity};
  int home = 0, away = 0;
};

struct IdleKinds : testing::TestWithParam<std::tuple<NatKind, NatKind>> {};

TEST_P(IdleKinds, ADayBehindNatsThatForgetAfterHalfAMinute) {
  IdleHome t(std::get<0>(GetParam()), std::get<1>(GetParam()));
  ASSERT_TRUE(t.connect());
  (void)t.join();
  t.leave();
  t.world.run_for(1min);
  const auto home_made = t.world.nat(t.home).mappings_made();
  const auto away_made = t.world.nat(t.away).mappings_made();
  EXPECT_LE(t.packets_a_minute(t.box, 12h), kMostPackets);
  EXPECT_LE(t.packets_a_minute(t.laptop, 12h), kMostPackets - kOfPresence) << "it has a presence, too";
  EXPECT_EQ(t.world.nat(t.home).mappings_made(), home_made);
  EXPECT_EQ(t.world.nat(t.away).mappings_made(), away_made);
  EXPECT_EQ(t.laptop.sessions, 1);
  EXPECT_EQ(t.laptop.paths.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Nats, IdleKinds,
                         testing::Values(std::tuple(kPortRestricted, kPortRestricted),
                                         std::tuple(kSymmetric, kFullCone),
                                         std::tuple(kFullCone, kSymmetric)));

TEST(Idle, LostPacketsCostNoMappingAndHardlyASession) {
  IdleHome t(kPortRestricted, kPortRestricted, {.delay = 20ms, .jitter = 10ms, .loss = 0.02});
  ASSERT_TRUE(t.connect());
  t.world.run_for(1min);
  const auto home_made = t.world.nat(t.home).mappings_made();
  const auto away_made = t.world.nat(t.away).mappings_made();
  EXPECT_LE(t.packets_a_minute(t.box, 12h), kMostPackets + 1);
  EXPECT_EQ(t.world.nat(t.home).mappings_made(), home_made);
  EXPECT_EQ(t.world.nat(t.away).mappings_made(), away_made);
  EXPECT_LE(t.laptop.sessions, 2);
}

TEST(Idle, AWishAfterHoursIsFulfilledAsSoonAsOneAfterAMoment) {
  IdleHome t;
  ASSERT_TRUE(t.connect());
  t.world.run_for(5s);
  const Duration at_once = t.join();
  for (int n = 0; n < 30; ++n) {  // whatever is due when
    t.leave();
    t.world.run_for(1h + n * 1s);
    EXPECT_TRUE(t.laptop.link->agent().is_proven(*t.laptop.link->agent().selected(), t.world.now()));
    EXPECT_LE(t.join(), at_once + 1ms) << n;
  }
  EXPECT_EQ(t.laptop.sessions, 1);
}

TEST(Idle, TheWishGoesOutWithACheck) {
  IdleHome t;
  ASSERT_TRUE(t.connect());
  t.world.run_for(1h);
  const auto checks = t.laptop.link->agent().counters().checks_sent;
  t.laptop.watch(kNews);
  EXPECT_EQ(t.laptop.link->agent().counters().checks_sent, checks + 1);
}

TEST(Idle, ARouterThatForgotTheLaptopIsNoticedByTheWish) {
  IdleHome t(kFullCone, kPortRestricted);
  ASSERT_TRUE(t.connect());
  for (int n = 0; n < 10; ++n) {
    t.world.run_for(10min + n * 2s);
    t.world.nat(t.away).rebind();
    t.world.run_for(n * 1s);
    EXPECT_LE(t.join(), 2s) << n;
    t.leave();
  }
  EXPECT_EQ(t.laptop.sessions, 1) << "nor were keys agreed on anew";
}

TEST(Idle, ABoxThatIsGoneIsMissedWithinHalfAMinute) {
  IdleHome t;
  ASSERT_TRUE(t.connect());
  t.world.run_for(10min);
  t.world.remove_host(t.box);
  EXPECT_TRUE(t.world.run_until([&] { return t.laptop.link->agent().suspects_path(); }, 28s));
}

// A box may give up a session that its device goes on with: it slept, or the goodbye was lost.
struct GivenUp : testing::TestWithParam<bool> {};

TEST_P(GivenUp, ASessionThatTheBoxGaveUpIsMissedByItsFirstUse) {
  const bool a_packet = GetParam();
  IdleHome t;
  ASSERT_TRUE(t.connect());
  t.world.run_for(1min);
  t.box.sessions->on_up(datapath::SessionClosed{PeerId{1}, "given up"}, t.world.now());
  ASSERT_EQ(t.box.log.count("tunnel_closed"), 1);
  t.world.run_for(10s);
  ASSERT_EQ(t.laptop.sessions, 1) << "nobody told it";
  if (a_packet) {
    t.laptop.link->send_packet(Buffer(40, 0x60), t.world.now());
  } else {
    t.laptop.link->on_network_change(t.world.now());
  }
  EXPECT_TRUE(t.world.run_until([&] { return t.laptop.sessions == 2 && t.laptop.connected(); }, 5s));
}

INSTANTIATE_TEST_SUITE_P(By, GivenUp, testing::Bool());

}  // namespace
}  // namespace hearthcast::sim
