// The watcher's rules, one by one, each broken once.
#include "tests/sim/seeds/proofs.hpp"

#include <gtest/gtest.h>

#include "tests/sim/seeds/overlap.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

const Endpoint kPeer = *Endpoint::parse("203.0.113.1:40000");
const Endpoint kOther = *Endpoint::parse("203.0.113.1:40001");

Buffer stun(std::uint8_t message_class, std::uint8_t id, std::size_t size = 100) {
  Buffer message(size, 0);
  message[0] = message_class;
  message[1] = 0x01;
  message[8] = id;
  return message;
}
Buffer request(std::uint8_t id, std::size_t size = 100) { return stun(0x00, id, size); }
Buffer success(std::uint8_t id) { return stun(0x01, id); }
Buffer record(std::size_t size = 200) { return Buffer(size, 23); }
Buffer handshake(std::size_t size = 1000) { return Buffer(size, 22); }

struct ProofsTest : testing::Test {
  // Whether it may be sent.
  bool may(const Endpoint& to, Bytes datagram) { return !proofs.on_sent(to, datagram, now); }
  void received(const Endpoint& from, Bytes datagram, bool genuine = true) {
    proofs.on_received(from, datagram, genuine, now);
  }
  void prove(const Endpoint& endpoint, std::uint8_t id) {
    received(endpoint, request(99));
    EXPECT_TRUE(may(endpoint, request(id)));
    received(endpoint, success(id));
  }
  Proofs proofs;
  Time now{1h};
};

TEST_F(ProofsTest, ARecordNeedsAnAnsweredChallenge) {
  received(kPeer, request(1));
  EXPECT_FALSE(may(kPeer, record()));
  EXPECT_TRUE(may(kPeer, request(7)));
  received(kPeer, success(7));
  EXPECT_TRUE(may(kPeer, record()));
  EXPECT_FALSE(may(kOther, record())) << "of that endpoint, not of its neighbour";
}

TEST_F(ProofsTest, AnAnswerProvesOnlyWhoWasAskedAndIsGenuine) {
  received(kPeer, request(1));
  EXPECT_TRUE(may(kPeer, request(7)));
  received(kPeer, success(8));         // of no challenge
  received(kOther, success(7));        // from elsewhere
  received(kPeer, success(7), false);  // by somebody else
  EXPECT_FALSE(proofs.is_proven(kPeer, now));
  EXPECT_FALSE(proofs.is_proven(kOther, now));
}

TEST_F(ProofsTest, AChallengeIsAnsweredOnce) {
  prove(kPeer, 7);
  now += 31s;
  received(kPeer, success(7));  // somebody sent it again
  EXPECT_FALSE(may(kPeer, record()));
}

TEST_F(ProofsTest, AProofLastsThirtySeconds) {
  prove(kPeer, 7);
  now += 30s;
  EXPECT_TRUE(may(kPeer, record()));
  now += 1ms;
  EXPECT_FALSE(may(kPeer, record()));
}

TEST_F(ProofsTest, ThreeTimesWhatCameAndNoMore) {
  received(kPeer, request(1, 100));
  EXPECT_TRUE(may(kPeer, handshake(300)));
  EXPECT_FALSE(may(kPeer, request(2, 20)));
}

TEST_F(ProofsTest, NothingToWhomNothingCameFrom) { EXPECT_FALSE(may(kPeer, request(1))); }

TEST_F(ProofsTest, OnceProvenMayBeSentAnythingUntilItIsNot) {
  prove(kPeer, 7);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(may(kPeer, record(1400)));
  }
  now += 31s;
  EXPECT_FALSE(may(kPeer, record()));
  EXPECT_FALSE(may(kPeer, handshake(4000))) << "what came before the proof ended does not count";
}

TEST_F(ProofsTest, WhoWasNamedMayBeCheckedForAWhileAndThenRarely) {
  proofs.on_told(kPeer, now);
  int checks = 0;
  while (may(kPeer, request(static_cast<std::uint8_t>(checks), 120))) {
    ++checks;
  }
  EXPECT_GE(checks, 15);
  EXPECT_LE(checks, 30);
  now += 10s;
  EXPECT_TRUE(may(kPeer, request(1, 120)));
  EXPECT_FALSE(may(kPeer, record())) << "but no stream";
}

struct OverlapTest : testing::Test {
  // A packet on each path that is named, every 100 ms.
  Duration carry(std::initializer_list<Endpoint> paths, Duration time) {
    Duration together{};
    for (const Time end = now + time; now < end; now += 100ms) {
      for (const Endpoint& path : paths) {
        together = std::max(together, overlap.on_packet(path, now));
      }
    }
    return together;
  }
  Overlap overlap;
  Time now{1h};
};

TEST_F(OverlapTest, AChangeOfPathIsNone) {
  EXPECT_EQ(carry({kPeer}, 5s), 0s);
  EXPECT_EQ(carry({kOther}, 5s), 0s);
  EXPECT_EQ(carry({kPeer}, 5s), 0s);
}

TEST_F(OverlapTest, TwoThatCarryTogetherAreTimed) {
  carry({kPeer}, 5s);
  EXPECT_EQ(carry({kPeer, kOther}, 2s), 1900ms);
  EXPECT_GE(carry({kPeer, kOther}, 2s), 3900ms);
  EXPECT_GE(overlap.longest(), 3900ms);
}

TEST_F(OverlapTest, APathThatWasQuietBeginsAnew) {
  carry({kPeer, kOther}, 3s);
  carry({kPeer}, 2s);
  EXPECT_EQ(carry({kPeer, kOther}, 500ms), 400ms);
}

}  // namespace
}  // namespace hearthcast::sim
