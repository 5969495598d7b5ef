#include "tunnelmgr/tunnel/static_peer.hpp"

#include "tests/unit/tunnel/foreign_packets.hpp"
#include "tunnelmgr/wire/heartbeat.hpp"

namespace hearthcast::tunnel {
namespace {

using namespace std::chrono_literals;
using wire::AyiyaHash;
using wire::AyiyaOpcode;

const Endpoint kHome{ip("192.0.2.7"), 40000};
const Endpoint kHotel{ip("198.51.100.9"), 5072};
const Endpoint kAttacker{ip("203.0.113.66"), 666};

struct PeerTest : testing::Test {
  StaticPeer make(StaticPeerSettings settings) { return {std::move(settings), {kHashes, random}}; }
  StaticPeer make_ayiya(AyiyaHash hash, std::optional<Endpoint> endpoint = std::nullopt) {
    far = ayiya_end(hash, false);
    return make({.name = "cabin",
                 .encapsulation =
                     {.form = Form::kAyiya, .carrier = Carrier::kUdp, .gre = {}, .ayiya = ayiya(hash, true)},
                 .endpoint = endpoint,
                 .heartbeat = std::nullopt});
  }
  StaticPeer make_sixinfour(std::optional<Endpoint> endpoint) {
    return make({.name = "cabin",
                 .encapsulation = {.form = Form::kSixInFour, .carrier = Carrier::kIp, .gre = {}, .ayiya = {}},
                 .endpoint = endpoint,
                 .heartbeat = HeartbeatSettings{kPeerInside, "secret"}});
  }
  // The far end answers a challenge, from wherever.
  std::optional<Buffer> answered(const StaticPeer::Reaction& reaction, const Moment& at) {
    if (!reaction.answer) {
      return std::nullopt;
    }
    const auto opened = far->open(reaction.answer->datagram, at);
    if (!opened || opened->kind != Opened::Kind::kEchoRequest) {
      return std::nullopt;
    }
    return far->signal(AyiyaOpcode::kEchoResponse, opened->payload, at);
  }
  Buffer heartbeat(std::uint64_t time, std::optional<IpAddress> address = std::nullopt,
                   std::string_view password = "secret") {
    return wire::encode_heartbeat({.tunnel = kPeerInside, .address = address, .time = time, .digest = {}},
                                  password, wire::kTestOldHashes);
  }
  static std::uint64_t dropped(const StaticPeer& peer, Drop drop) {
    return peer.counters().dropped[static_cast<std::size_t>(drop)];
  }

  CountingRandom random;
  std::unique_ptr<Encapsulation> far;
};

TEST_F(PeerTest, AFixedPeerIsHeardFromItsAddressOnly) {
  StaticPeer peer = make_sixinfour(Endpoint{kHome.address, 0});
  EXPECT_TRUE(peer.claims({kHome.address, 1234}, kInner6)) << "from any port";
  EXPECT_FALSE(peer.claims(kAttacker, kInner6));
  EXPECT_TRUE(equal(peer.on_datagram({kHome.address, 0}, kInner6, moment()).packet, kInner6));
  EXPECT_TRUE(peer.on_datagram(kAttacker, kInner6, moment()).packet.empty());
  EXPECT_EQ(dropped(peer, Drop::kSource), 1U);
  EXPECT_EQ(peer.counters().received, 1U);
  EXPECT_EQ(peer.endpoint(), (Endpoint{kHome.address, 0}));
  peer.on_tick(moment(1h).now);
  EXPECT_TRUE(peer.endpoint()) << "silence does not matter where it was configured";
}

TEST_F(PeerTest, TheDeployedProfileMovesWithEachValidPacket) {
  StaticPeer peer = make_ayiya(AyiyaHash::kSha1);
  EXPECT_FALSE(peer.endpoint());
  const Buffer first = sealed(*far, kInner6);
  EXPECT_TRUE(peer.claims(kHome, first));
  EXPECT_TRUE(equal(peer.on_datagram(kHome, first, moment()).packet, kInner6));
  EXPECT_EQ(peer.endpoint(), kHome);
  const auto moved =
      peer.on_datagram(kHotel, *far->signal(AyiyaOpcode::kNothing, {}, moment(2s)), moment(2s));
  EXPECT_TRUE(moved.packet.empty());
  EXPECT_FALSE(moved.answer);
  EXPECT_EQ(peer.endpoint(), kHotel);
  EXPECT_EQ(peer.counters().moves, 2U);
}

TEST_F(PeerTest, NoReplayForgeryOrFragmentMovesTheDeployedProfile) {
  StaticPeer peer = make_ayiya(AyiyaHash::kSha1);
  const Buffer right = sealed(*far, kInner6);
  (void)peer.on_datagram(kHome, right, moment());
  Buffer forged = right;
  forged[50] ^= 1;
  const Buffer cut(right.begin(), right.end() - 1);
  const Buffer old = sealed(*far, kInner6);
  for (const auto& [datagram, at] : {std::pair(right, 1s), {forged, 1s}, {cut, 1s}, {old, 61s}}) {
    const auto reaction = peer.on_datagram(kAttacker, datagram, moment(at));
    EXPECT_TRUE(reaction.packet.empty());
    EXPECT_FALSE(reaction.answer);
  }
  EXPECT_EQ(peer.endpoint(), kHome);
  EXPECT_EQ(dropped(peer, Drop::kReplay), 1U);
  EXPECT_EQ(dropped(peer, Drop::kSignature), 2U);
  EXPECT_EQ(dropped(peer, Drop::kTime), 1U);
}

TEST_F(PeerTest, TheHardenedProfileMovesOnlyToWhereAChallengeIsAnswered) {
  StaticPeer peer = make_ayiya(AyiyaHash::kHmacSha256);
  const Buffer first = sealed(*far, kInner6);
  const auto asked = peer.on_datagram(kHome, first, moment());
  EXPECT_TRUE(asked.packet.empty()) << "nothing counts before it has shown that it is there";
  EXPECT_FALSE(peer.endpoint());
  ASSERT_TRUE(asked.answer);
  EXPECT_EQ(asked.answer->to, kHome);
  EXPECT_LE(asked.answer->datagram.size(), first.size());
  const auto answer = answered(asked, moment());
  ASSERT_TRUE(answer);
  (void)peer.on_datagram(kHome, *answer, moment());
  EXPECT_EQ(peer.endpoint(), kHome);
  const Buffer second = sealed(*far, kInner6);
  EXPECT_TRUE(equal(peer.on_datagram(kHome, second, moment()).packet, kInner6));
}

TEST_F(PeerTest, WhoHoldsAPacketBackAndSendsItFromElsewhereMovesNothing) {
  StaticPeer peer = make_ayiya(AyiyaHash::kHmacSha256);
  (void)peer.on_datagram(kHome, *answered(peer.on_datagram(kHome, sealed(*far, kInner6), moment()), moment()),
                         moment());
  ASSERT_EQ(peer.endpoint(), kHome);
  const auto asked = peer.on_datagram(kAttacker, sealed(*far, kInner6), moment(2s));
  EXPECT_TRUE(asked.packet.empty());
  ASSERT_TRUE(asked.answer);
  EXPECT_EQ(peer.endpoint(), kHome);
  // The peer itself answers if the challenge reaches it: from its own place, which is not the one in
  // question.
  (void)peer.on_datagram(kHome, *answered(asked, moment(2s)), moment(2s));
  EXPECT_EQ(peer.endpoint(), kHome);
  EXPECT_EQ(dropped(peer, Drop::kUnwanted), 1U);
}

TEST_F(PeerTest, ChallengesOnceASecondAndNeverWithMoreThanItWasAsked) {
  StaticPeer peer = make_ayiya(AyiyaHash::kHmacSha256);
  const Buffer small = *far->signal(AyiyaOpcode::kNothing, Buffer(15), moment());
  EXPECT_FALSE(peer.on_datagram(kHome, small, moment()).answer);
  const Buffer enough = *far->signal(AyiyaOpcode::kNothing, Buffer(16), moment());
  const auto asked = peer.on_datagram(kHome, enough, moment());
  ASSERT_TRUE(asked.answer);
  EXPECT_EQ(asked.answer->datagram.size(), enough.size());
  EXPECT_FALSE(peer.on_datagram(kHotel, sealed(*far, kInner6), moment(999ms)).answer);
  EXPECT_TRUE(peer.on_datagram(kHotel, sealed(*far, kInner6, moment(1s)), moment(1s)).answer);
  EXPECT_EQ(peer.counters().challenges, 2U);
}

TEST_F(PeerTest, AnAnswerThatComesLateOrTwiceDoesNotCount) {
  StaticPeer peer = make_ayiya(AyiyaHash::kHmacSha256);
  const auto late = answered(peer.on_datagram(kHome, sealed(*far, kInner6), moment()), moment());
  (void)peer.on_datagram(kHome, *late, moment(6s));
  EXPECT_FALSE(peer.endpoint());
  const auto asked = peer.on_datagram(kHome, sealed(*far, kInner6, moment(7s)), moment(7s));
  const auto answer = answered(asked, moment(7s));
  const auto again = far->signal(AyiyaOpcode::kEchoResponse, Buffer(16, 0xEE), moment(7s));
  (void)peer.on_datagram(kHome, *again, moment(7s));
  EXPECT_FALSE(peer.endpoint()) << "another nonce";
  (void)peer.on_datagram(kHome, *answer, moment(7s));
  EXPECT_TRUE(peer.endpoint());
  EXPECT_EQ(dropped(peer, Drop::kUnwanted), 2U);
}

TEST_F(PeerTest, EchoesWhatItIsAskedToInTheSameSize) {
  StaticPeer peer = make_ayiya(AyiyaHash::kSha1, kHome);
  const Buffer question = *far->signal(AyiyaOpcode::kEchoRequest, hex("0102030405"), moment());
  const auto reaction = peer.on_datagram(kHome, question, moment());
  ASSERT_TRUE(reaction.answer);
  EXPECT_EQ(reaction.answer->to, kHome);
  EXPECT_EQ(reaction.answer->datagram.size(), question.size());
  const auto opened = far->open(reaction.answer->datagram, moment());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->kind, Opened::Kind::kEchoResponse);
  EXPECT_TRUE(equal(opened->payload, hex("0102030405")));
}

TEST_F(PeerTest, AFixedAyiyaPeerNeverMoves) {
  StaticPeer peer = make_ayiya(AyiyaHash::kSha1, kHome);
  EXPECT_TRUE(peer.on_datagram(kAttacker, sealed(*far, kInner6), moment()).packet.empty());
  EXPECT_EQ(dropped(peer, Drop::kSource), 1U);
  EXPECT_EQ(peer.endpoint(), kHome);
}

TEST_F(PeerTest, ForgetsALearntEndpointThatFellSilent) {
  StaticPeer peer = make_ayiya(AyiyaHash::kSha1);
  (void)peer.on_datagram(kHome, sealed(*far, kInner6), moment());
  peer.on_tick(moment(119s).now);
  EXPECT_TRUE(peer.endpoint());
  peer.on_tick(moment(120s).now);
  EXPECT_FALSE(peer.endpoint());
}

TEST_F(PeerTest, HeartbeatsTellWhereASixInFourPeerIs) {
  StaticPeer peer = make_sixinfour(std::nullopt);
  EXPECT_FALSE(peer.claims(kHome, kInner6));
  EXPECT_TRUE(peer.on_heartbeat(kHome, heartbeat(1700000000), moment()));
  EXPECT_EQ(peer.endpoint(), (Endpoint{kHome.address, 0}));
  EXPECT_TRUE(peer.claims({kHome.address, 0}, kInner6));
  EXPECT_TRUE(equal(peer.on_datagram({kHome.address, 0}, kInner6, moment()).packet, kInner6));
  EXPECT_TRUE(peer.on_heartbeat(kHotel, heartbeat(1700000001, kHotel.address), moment(1s)));
  EXPECT_EQ(peer.endpoint(), (Endpoint{kHotel.address, 0}));
  EXPECT_EQ(peer.counters().moves, 2U);
}

TEST_F(PeerTest, NoOtherHeartbeatMovesIt) {
  StaticPeer peer = make_sixinfour(std::nullopt);
  ASSERT_TRUE(peer.on_heartbeat(kHome, heartbeat(1700000000), moment()));
  EXPECT_TRUE(peer.on_heartbeat(kAttacker, heartbeat(1700000000), moment()));
  EXPECT_EQ(dropped(peer, Drop::kReplay), 1U);
  EXPECT_TRUE(peer.on_heartbeat(kAttacker, heartbeat(1700000001, std::nullopt, "guess"), moment(1s)));
  EXPECT_EQ(dropped(peer, Drop::kSignature), 1U);
  EXPECT_TRUE(peer.on_heartbeat(kAttacker, heartbeat(1700000001, kHome.address), moment(1s)));
  EXPECT_EQ(dropped(peer, Drop::kSource), 1U);
  EXPECT_TRUE(peer.on_heartbeat(kAttacker, heartbeat(1700000121), moment()));
  EXPECT_TRUE(peer.on_heartbeat(kAttacker, heartbeat(1700000001), moment(122s)));
  EXPECT_EQ(dropped(peer, Drop::kTime), 2U);
  EXPECT_EQ(peer.endpoint(), (Endpoint{kHome.address, 0}));
  auto other = wire::encode_heartbeat({.tunnel = kBoxInside, .address = {}, .time = 1700000005, .digest = {}},
                                      "secret", wire::kTestOldHashes);
  EXPECT_FALSE(peer.on_heartbeat(kAttacker, other, moment(5s))) << "about another tunnel";
  EXPECT_FALSE(peer.on_heartbeat(kAttacker, hex("00"), moment(5s)));
}

}  // namespace
}  // namespace hearthcast::tunnel
