// Foreign peers with real sockets: a peer's datagrams in, media in its form out.
#include "appliance/forward/clear_peers.hpp"

#include <gmock/gmock.h>
#include <poll.h>

#include <map>

#include "tests/unit/linux/private_network.hpp"
#include "tests/unit/tunnel/foreign_packets.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::forward {
namespace {

using namespace std::chrono_literals;
using tunnel::Carrier;
using tunnel::Form;
using tunnel::kInner4;
using tunnel::kInner6;

constexpr PeerId kPeer{7};
const IpAddress kHere = *IpAddress::parse("127.0.0.1");

class Sink final : public ClearSink {
 public:
  void on_clear_packet(PeerId, Bytes ip_packet) override {
    packets.emplace_back(ip_packet.begin(), ip_packet.end());
  }
  void on_clear_endpoint(PeerId, const std::optional<Endpoint>& endpoint) override {
    endpoints.push_back(endpoint);
  }
  std::vector<Buffer> packets;
  std::vector<std::optional<Endpoint>> endpoints;
};

bool readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 20'000) == 1;
}

// The peers of a box with one port, and the far end of a UDP tunnel to it.
struct World {
  World() : far(linux::UdpSocket::open({.port = 0, .address = kHere}).value()) {}

  void add_udp_port(ClearPort::Use use = ClearPort::Use::kTunnels, std::size_t number = 0) {
    auto socket = linux::UdpSocket::open({.port = 0, .address = kHere}).value();
    ports[number] = {kHere, socket.port()};
    auto port = std::make_unique<ClearPort>(std::move(socket), use);
    fds[number] = peers.add_port({number, std::move(port)}).fd();
  }
  void add_peer(tunnel::EncapsulationSettings form, std::optional<Endpoint> endpoint,
                std::optional<tunnel::HeartbeatSettings> heartbeat = std::nullopt) {
    tunnel::StaticPeerSettings settings{.name = "cabin",
                                        .encapsulation = std::move(form),
                                        .endpoint = endpoint,
                                        .heartbeat = std::move(heartbeat)};
    auto peer = std::make_unique<tunnel::StaticPeer>(std::move(settings),
                                                     tunnel::StaticPeer::Tools{tunnel::kHashes, random});
    peers.add_peer({kPeer, 0, std::move(peer)}, sink);
  }
  Endpoint far_endpoint() const { return {kHere, far.port()}; }
  void from_far(const Buffer& datagram, std::size_t port = 0) {
    EXPECT_EQ(far.send(ports.at(port), datagram).outcome, linux::SendOutcome::kSent);
    ASSERT_TRUE(readable(fds.at(port)));
    peers.read(port, batch, sink, Time(1h));
  }
  std::vector<Buffer> at_far(std::size_t count) {
    std::vector<Buffer> all;
    while (all.size() < count && readable(far.fd())) {
      for (const auto& datagram : far.receive(batch).datagrams) {
        all.emplace_back(datagram.payload.begin(), datagram.payload.end());
      }
    }
    return all;
  }
  Statistics statistics() {
    Statistics all;
    peers.report(all);
    return all;
  }

  linux::UdpSocket far;
  linux::ReceiveBatch batch;
  tunnel::CountingRandom random;
  ClearPeers peers;
  Sink sink;
  std::map<std::size_t, Endpoint> ports;
  std::map<std::size_t, int> fds;
};

tunnel::EncapsulationSettings gre() {
  return {.form = Form::kGre, .carrier = Carrier::kUdp, .gre = {.key = 42, .sequence = true}, .ayiya = {}};
}

TEST(ClearPeers, SendsEachPacketInThePeersFormWithItsOwnNumbers) {
  World world;
  world.add_udp_port();
  world.add_peer(gre(), world.far_endpoint());
  EXPECT_THAT(world.sink.endpoints, testing::ElementsAre(world.far_endpoint()));
  // Different sizes: equal ones travel in one batch, the others begin a new one.
  const std::vector<Bytes> packets{kInner6, kInner6, kInner4, kInner6, kInner4, kInner4};
  const auto sent = world.peers.find(kPeer)->send(packets);
  EXPECT_EQ(sent.packets, packets.size());
  EXPECT_EQ(sent.drops, 0U);
  EXPECT_EQ(sent.bytes, 3 * (12 + kInner6.size()) + 3 * (12 + kInner4.size()));
  const auto there = tunnel::make_encapsulation(gre(), tunnel::kHashes);
  const auto received = world.at_far(packets.size());
  ASSERT_EQ(received.size(), packets.size());
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(received[i][11], i) << "the sequence number";
    const auto opened = there->open(received[i], tunnel::moment());
    ASSERT_TRUE(opened);
    EXPECT_TRUE(equal(opened->payload, packets[i])) << i;
  }
}

TEST(ClearPeers, HandsOnWhatComesAndCountsTheRest) {
  World world;
  world.add_udp_port();
  world.add_peer(gre(), world.far_endpoint());
  const auto there = tunnel::make_encapsulation(gre(), tunnel::kHashes);
  const Buffer right = tunnel::sealed(*there, kInner6);
  world.from_far(right);
  world.from_far(right);  // a replay
  world.from_far(Buffer(right.begin(), right.end() - 1));
  world.from_far({0, 0, 8, 0});
  EXPECT_THAT(world.sink.packets, testing::ElementsAre(kInner6));
  const auto statistics = world.statistics();
  ASSERT_EQ(statistics.clear_peers.size(), 1U);
  EXPECT_EQ(statistics.clear_peers[0].counters.received, 1U);
  EXPECT_EQ(statistics.clear_peers[0].counters.dropped[static_cast<std::size_t>(tunnel::Drop::kSequence)],
            2U);
  EXPECT_EQ(statistics.clear_peers[0].counters.dropped[static_cast<std::size_t>(tunnel::Drop::kKey)], 1U);
  EXPECT_EQ(statistics.clear_ports.at(0).datagrams, 4U);
  EXPECT_EQ(statistics.clear_ports.at(0).unknown, 0U);
}

TEST(ClearPeers, TakesNothingFromStrangers) {
  World world;
  world.add_udp_port();
  world.add_peer(gre(), Endpoint{*IpAddress::parse("192.0.2.7"), 4754});
  world.from_far(tunnel::sealed(*tunnel::make_encapsulation(gre(), tunnel::kHashes), kInner6));
  EXPECT_THAT(world.sink.packets, testing::IsEmpty());
  EXPECT_EQ(world.statistics().clear_ports.at(0).unknown, 1U);
}

TEST(ClearPeers, SendsNothingWhileNobodyKnowsWhereThePeerIsNorWhatItsFormDoesNotCarry) {
  World world;
  world.add_udp_port();
  world.add_udp_port(ClearPort::Use::kHeartbeats, 1);
  world.add_peer({.form = Form::kSixInFour, .carrier = Carrier::kUdp, .gre = {}, .ayiya = {}}, std::nullopt,
                 tunnel::HeartbeatSettings{tunnel::kPeerInside, "secret"});
  const Bytes packet = kInner6;
  EXPECT_EQ(world.peers.find(kPeer)->send(std::span(&packet, 1)).drops, 1U);
  world.from_far({'H', 'E', 'L', 'L', 'O'}, 1);
  EXPECT_THAT(world.sink.endpoints, testing::IsEmpty());
  EXPECT_EQ(world.statistics().clear_ports.at(1).unknown, 1U);

  World six;
  six.add_udp_port();
  six.add_peer({.form = Form::kSixInFour, .carrier = Carrier::kUdp, .gre = {}, .ayiya = {}},
               six.far_endpoint());
  const std::vector<Bytes> both{kInner4, kInner6};
  const auto sent = six.peers.find(kPeer)->send(both);
  EXPECT_EQ(sent.drops, 1U);
  EXPECT_EQ(sent.packets, 1U);
  EXPECT_EQ(six.at_far(1), std::vector<Buffer>{kInner6});
}

TEST(ClearPeers, LearnsAHardenedPeersEndpointByAChallenge) {
  World world;
  world.add_udp_port();
  world.add_peer({.form = Form::kAyiya,
                  .carrier = Carrier::kUdp,
                  .gre = {},
                  .ayiya = tunnel::ayiya(wire::AyiyaHash::kHmacSha256, true)},
                 std::nullopt);
  const auto far = tunnel::ayiya_end(wire::AyiyaHash::kHmacSha256, false);
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const tunnel::Moment real{
      Time(1h), static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(since_1970).count())};
  const Buffer first = tunnel::sealed(*far, kInner6, real);
  world.from_far(first);
  EXPECT_THAT(world.sink.packets, testing::IsEmpty());
  const auto challenge = world.at_far(1);
  ASSERT_EQ(challenge.size(), 1U);
  EXPECT_LE(challenge[0].size(), first.size());
  const auto opened = far->open(challenge[0], real);
  ASSERT_TRUE(opened);
  world.from_far(*far->signal(wire::AyiyaOpcode::kEchoResponse, opened->payload, real));
  EXPECT_THAT(world.sink.endpoints, testing::ElementsAre(world.far_endpoint()));
  world.peers.send({kPeer, kInner6});
  EXPECT_EQ(world.at_far(1).size(), 1U);
  world.peers.on_tick(world.sink, Time(1h) + tunnel::StaticPeer::kGone);
  EXPECT_THAT(world.sink.endpoints, testing::ElementsAre(world.far_endpoint(), std::nullopt));
}

TEST(ClearPeers, SpeaksStraightOverIp) {
  const bool permitted = linux::in_private_network(1500, [] {
    World world;
    linux::NetdClient netd;
    linux::RawIpSocket far(netd.open_raw_ip(Family::kIp4, 47).value(), Family::kIp4);
    auto port = std::make_unique<ClearPort>(
        linux::RawIpSocket(netd.open_raw_ip(Family::kIp4, 47).value(), Family::kIp4));
    const int fd = world.peers.add_port({0, std::move(port)}).fd();
    world.add_peer({.form = Form::kGre, .carrier = Carrier::kIp, .gre = {}, .ayiya = {}}, Endpoint{kHere, 0});
    const auto there = tunnel::make_encapsulation(
        {.form = Form::kGre, .carrier = Carrier::kIp, .gre = {}, .ayiya = {}}, tunnel::kHashes);
    const Buffer packet = tunnel::sealed(*there, kInner6);
    ASSERT_EQ(far.send_segments(kHere, packet, packet.size(), 1, packet.size()).datagrams, 1U);
    ASSERT_TRUE(readable(fd));
    world.peers.read(0, world.batch, world.sink, Time(1h));
    EXPECT_THAT(world.sink.packets, testing::ElementsAre(kInner6));
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root: a network namespace of its own";
  }
}

}  // namespace
}  // namespace hearthcast::forward
