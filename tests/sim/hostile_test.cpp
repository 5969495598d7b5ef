// What an attacker can make a box do: nothing, and less than it pays for.
#include <gtest/gtest.h>

#include "tests/sim/ice_peer.hpp"
#include "tunnelmgr/nat/check.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

struct Attacked {
  Attacked() {
    world.add_host(box, "198.51.100.1:4755");
    world.on_stray = [this](const Endpoint& from, const Endpoint& to, Bytes bytes) {
      if (from == at && to == victim) {
        reflected += bytes.size();
      }
    };
  }
  // A check of the pair "one pair", as the device would send it.
  [[nodiscard]] Buffer genuine(bool nominating) {
    const auto c = nat::standing_credentials(crypto, as_bytes("one pair"), IdentityId{}, IdentityId{});
    return nat::build_check({.id = {1, 2, 3},
                             .receiver = c.box,
                             .sender_ufrag = c.device.ufrag,
                             .controlling = true,
                             .tie_breaker = 7,
                             .nominating = nominating},
                            crypto);
  }
  void inject(Bytes bytes) {
    injected += bytes.size();
    world.inject(victim, at, bytes);
  }

  World world{21};
  secure::OpenSslCrypto crypto;
  IcePeer box{world, nat::Role::kControlled};
  Endpoint at = *Endpoint::parse("198.51.100.1:4755");
  Endpoint victim = *Endpoint::parse("203.0.113.66:53");
  std::size_t injected = 0;
  std::size_t reflected = 0;
};

TEST(Hostile, UnauthenticatedChecksGetNoAnswerAtAll) {
  Attacked t;
  const auto other =
      nat::standing_credentials(t.crypto, as_bytes("another pair"), IdentityId{}, IdentityId{});
  const auto known = nat::standing_credentials(t.crypto, as_bytes("one pair"), IdentityId{}, IdentityId{});
  const nat::Credentials guessed{known.box.ufrag, "guessed guessed guessed!"};
  for (const auto& receiver : {other.box, guessed}) {
    t.inject(
        nat::build_check({.id = {9}, .receiver = receiver, .sender_ufrag = known.device.ufrag}, t.crypto));
  }
  wire::StunMessage bare;  // what a scanner sends
  t.inject(wire::encode_stun(bare));
  bare.username = known.box.ufrag + ":" + known.device.ufrag;
  t.inject(wire::encode_stun(bare));
  t.inject(as_bytes("not stun"));
  t.world.run_for(1min);
  EXPECT_EQ(t.reflected, 0U);
  EXPECT_TRUE(t.box.proven().empty());
  EXPECT_EQ(t.box.responder().unknown(), 2U);
  EXPECT_EQ(t.box.agent().counters().bad_integrity, 2U);
}

TEST(Hostile, ATamperedCheckIsNoCheck) {
  Attacked t;
  const Buffer check = t.genuine(true);
  for (std::size_t i = 0; i + 8 < check.size(); ++i) {  // FINGERPRINT, the last eight, is no secret
    Buffer tampered = check;
    tampered[i] ^= 0x40;
    t.inject(tampered);
  }
  t.world.run_for(1min);
  EXPECT_EQ(t.reflected, 0U);
}

TEST(Hostile, AReplayedNominationFromAStrangeAddressMovesNothing) {
  Attacked t;
  for (int i = 0; i < 100; ++i) {
    t.inject(t.genuine(true));
    t.world.run_for(100ms);
  }
  t.world.run_for(10min);
  EXPECT_FALSE(t.box.connected());
  EXPECT_TRUE(t.box.proven().empty());  // so no handshake is answered there either
  EXPECT_LE(t.reflected, 3 * t.injected);
  EXPECT_GT(t.reflected, 0U);
}

TEST(Hostile, AReplayDoesNotStealARunningPath) {
  Attacked t;
  IcePeer device(t.world, nat::Role::kControlling);
  t.world.add_host(device, "203.0.113.1:40000");
  device.learn({srflx("198.51.100.1:4755")});
  ASSERT_TRUE(t.world.run_until([&] { return t.box.connected(); }, 2s));
  for (int i = 0; i < 20; ++i) {
    t.inject(t.genuine(true));
    t.world.run_for(1s);
  }
  EXPECT_EQ(t.box.agent().selected()->to_string(), "203.0.113.1:40000");
  EXPECT_EQ(t.box.history().size(), 1U);
}

TEST(Hostile, ForgedAnswersProveNothing) {
  Attacked t;
  t.box.learn({srflx(t.victim.to_string())});
  std::vector<Buffer> seen;
  t.world.on_stray = [&](const Endpoint&, const Endpoint& to, Bytes bytes) {
    const auto check = wire::decode_stun(bytes);
    if (to != t.victim || !check) {
      return;
    }
    // An observer on the path sees the transaction, but has no password; or has it (a real device) but
    // answers from elsewhere.
    seen.push_back(nat::build_answer(check->transaction, t.at, "a wrong password, long as it is", t.crypto));
  };
  t.world.run_for(3s);
  ASSERT_FALSE(seen.empty());
  for (const Buffer& answer : seen) {
    t.inject(answer);
  }
  EXPECT_TRUE(t.box.proven().empty());
  EXPECT_EQ(t.box.agent().counters().bad_integrity, seen.size());
}

TEST(Hostile, ManySourcesDoNotGrowTheAgent) {
  Attacked t;
  const Buffer check = t.genuine(false);
  for (int i = 0; i < 1000; ++i) {
    t.world.inject({t.victim.address, static_cast<std::uint16_t>(1000 + i)}, t.at, check);
  }
  t.world.run_for(1min);
  const auto sent = t.box.agent().counters().checks_sent;
  EXPECT_LE(sent, 1000U);  // one for each request and no more
  t.world.run_for(1h);
  EXPECT_EQ(t.box.agent().counters().checks_sent, sent);
}

TEST(Hostile, RoleConflictIsSettledByTheTieBreaker) {  // RFC 8445 section 7.3.1.1
  World world(31);
  IcePeer one(world, nat::Role::kControlling);
  IcePeer two(world, nat::Role::kControlled);
  // Two agents that both believe to control: the second speaks with the box's credentials.
  const secure::OpenSslCrypto crypto;
  const auto c = nat::standing_credentials(crypto, as_bytes("one pair"), IdentityId{}, IdentityId{});
  SeededRandom random(world);
  nat::Agent rival(nat::Role::kControlling, c.box, c.device, crypto, random);
  nat::Agent first(nat::Role::kControlling, c.device, c.box, crypto, random);
  const Endpoint a{IpAddress::ip4(0xc0000201), 1}, b{IpAddress::ip4(0xc0000202), 2};
  auto from_first = first.on_candidates({{nat::CandidateType::kHost, b}}, world.now());
  auto from_rival = rival.on_candidates({{nat::CandidateType::kHost, a}}, world.now());
  for (int round = 0; round < 20 && !(first.selected() && rival.selected()); ++round) {
    nat::Actions to_first, to_rival;
    const auto pass = [&](nat::Actions& actions, nat::Agent& to, const Endpoint& from,
                          nat::Actions& answers) {
      for (const auto& action : actions) {
        if (const auto* d = std::get_if<nat::SendDatagram>(&action)) {
          for (auto& answer : to.on_stun(from, d->bytes, world.now())) {
            answers.push_back(std::move(answer));
          }
        }
      }
    };
    world.run_for(100ms);
    pass(from_first, rival, a, to_first);
    pass(from_rival, first, b, to_rival);
    from_rival = std::move(to_first);
    from_first = std::move(to_rival);
    for (auto& action : first.on_deadline(world.now())) {
      from_first.push_back(std::move(action));
    }
    for (auto& action : rival.on_deadline(world.now())) {
      from_rival.push_back(std::move(action));
    }
  }
  EXPECT_TRUE(first.selected() && rival.selected());
  EXPECT_NE(first.role(), rival.role());
  EXPECT_GT(first.counters().role_conflicts + rival.counters().role_conflicts, 0U);
}

}  // namespace
}  // namespace hearthcast::sim
