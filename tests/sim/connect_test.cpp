// Two ends behind NATs of every pairing find the path that is there, at the pace that RFC 8445 allows.
#include <gtest/gtest.h>

#include "tests/sim/ice_peer.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

// Box at 192.168.1.2:4755 behind 198.51.100.1, device at 192.168.7.3:40000 behind 203.0.113.1. `learned` says
// what the introduction told: the mapping that the rendezvous saw, and the private addresses, useless here.
struct TwoSites {
  TwoSites(NatKind home, NatKind away, Link link = {}, std::uint64_t seed = 1)
      : world(seed), box(world, nat::Role::kControlled), device(world, nat::Role::kControlling) {
    home_nat = world.add_nat(home, "198.51.100.1", link);
    away_nat = world.add_nat(away, "203.0.113.1", link);
    world.add_host(box, "192.168.1.2:4755", home_nat);
    world.add_host(device, "192.168.7.3:40000", away_nat);
    world.add_host(rendezvous, "192.0.2.9:3478");
    box.register_at(server);
    device.register_at(server);
    (void)world.run_until([&] { return !box.mappings().empty() && !device.mappings().empty(); }, 20s);
  }
  void introduce() {
    started = world.now();
    box.learn({host("192.168.7.3:40000"), srflx(device.mappings().back().to_string())});
    device.learn({host("192.168.1.2:4755"), srflx(box.mappings().back().to_string())});
  }
  bool both_connected(Duration limit) {
    return world.run_until([&] { return box.connected() && device.connected(); }, limit);
  }

  World world;
  IcePeer box;
  IcePeer device;
  PresenceServer rendezvous{world};
  Endpoint server = *Endpoint::parse("192.0.2.9:3478");
  int home_nat = 0;
  int away_nat = 0;
  Time started;
};

TEST(Connect, PortRestrictedBothSidesWithinASecond) {
  TwoSites t(kPortRestricted, kPortRestricted);
  t.introduce();
  ASSERT_TRUE(t.both_connected(1s));
  EXPECT_EQ(t.device.agent().selected()->to_string(), "198.51.100.1:4755");
  EXPECT_EQ(t.box.agent().selected()->to_string(), "203.0.113.1:40000");
}

TEST(Connect, OrdinaryChecksKeepThePacing) {
  World world(3);
  IcePeer device(world, nat::Role::kControlling);
  world.add_host(device, "203.0.113.1:40000");
  std::vector<nat::Candidate> eight;
  for (int i = 1; i <= 8; ++i) {
    eight.push_back(srflx("198.51.100." + std::to_string(i) + ":4755"));
  }
  device.learn(eight);
  world.run_for(5s);
  const auto& times = device.sent_at();
  ASSERT_GT(times.size(), 50U);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], 50ms) << i;
  }
  const std::size_t at_five_seconds = times.size();
  world.run_for(10min);  // then only now and then, but for ever
  EXPECT_LT(times.size() - at_five_seconds, 8U * 30);
  EXPECT_GT(times.size() - at_five_seconds, 8U * 15);
}

TEST(Connect, EveryPairingThatCanWorkDoes) {
  // Symmetric NATs work only against one that does not filter by port: the rest is a relay's work.
  const std::vector<NatKind> kinds{kFullCone, kAddressRestricted, kPortRestricted, kAddressDependent,
                                   kSymmetric};
  const auto possible = [&](std::size_t a, std::size_t b) {
    const bool a_cone = a < 3, b_cone = b < 3;
    return (a_cone && b_cone) || (a_cone && a < 2) || (b_cone && b < 2);
  };
  for (std::size_t a = 0; a < kinds.size(); ++a) {
    for (std::size_t b = 0; b < kinds.size(); ++b) {
      TwoSites t(kinds[a], kinds[b]);
      t.introduce();
      EXPECT_EQ(t.both_connected(8s), possible(a, b)) << a << " x " << b;
    }
  }
}

TEST(Connect, FullConeAgainstSymmetricLearnsThePeerReflexivePort) {
  TwoSites t(kFullCone, kSymmetric);
  t.introduce();
  ASSERT_TRUE(t.both_connected(2s));
  EXPECT_EQ(t.box.agent().selected_type(), nat::CandidateType::kPeerReflexive);
  EXPECT_NE(t.box.agent().selected()->port, t.device.mappings().back().port);
}

TEST(Connect, OnOneLanTheDirectPathWins) {
  World world(5);
  const int home = world.add_nat(kPortRestricted, "198.51.100.1");
  IcePeer box(world, nat::Role::kControlled), device(world, nat::Role::kControlling);
  world.add_host(box, "192.168.1.2:4755", home, {.delay = 1ms});
  world.add_host(device, "192.168.1.3:40000", home, {.delay = 1ms});
  box.learn({host("192.168.1.3:40000"), srflx("198.51.100.1:40000")});
  device.learn({srflx("198.51.100.1:4755"), host("192.168.1.2:4755")});
  ASSERT_TRUE(world.run_until([&] { return box.connected() && device.connected(); }, 1s));
  EXPECT_EQ(device.agent().selected()->to_string(), "192.168.1.2:4755");
  EXPECT_EQ(device.agent().selected_type(), nat::CandidateType::kHost);
}

TEST(Connect, ABetterPathThatAppearsLaterIsTakenOnce) {
  TwoSites t(kPortRestricted, kPortRestricted);
  t.introduce();
  ASSERT_TRUE(t.both_connected(1s));
  // The box turns out to be reachable by IPv6 as well.
  t.world.remove_host(t.box);
  t.world.add_host(t.box, "192.0.2.77:4755");
  t.device.learn({host("192.0.2.77:4755")});
  ASSERT_TRUE(t.world.run_until(
      [&] { return t.device.agent().selected() == Endpoint::parse("192.0.2.77:4755"); }, 2s));
  EXPECT_EQ(t.device.history().size(), 2U);
}

TEST(Connect, WithTwentyPercentLossAndReordering) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    // A datagram crosses both uplinks: 0.8944 squared arrives.
    TwoSites t(kPortRestricted, kPortRestricted, {.delay = 15ms, .jitter = 40ms, .loss = 0.1056}, seed);
    t.introduce();
    ASSERT_TRUE(t.both_connected(30s)) << seed;
    t.world.run_for(4min);  // and it stays
    EXPECT_TRUE(t.box.connected() && t.device.connected()) << seed;
  }
}

TEST(Connect, KnownMappingsSufficeWhenTheRendezvousIsDead) {
  TwoSites t(kPortRestricted, kPortRestricted);
  t.rendezvous.up = false;
  t.introduce();
  EXPECT_TRUE(t.both_connected(1s));
}

}  // namespace
}  // namespace hearthcast::sim
