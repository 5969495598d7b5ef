#include "tunnelmgr/datapath/port_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/datapath/established.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {
namespace {

using testing::ElementsAre;

const Endpoint kPeerEndpoint = *Endpoint::parse("192.0.2.7:4000");
const Endpoint kStranger = *Endpoint::parse("192.0.2.8:4000");
const Time t0 = Time{} + std::chrono::hours{1};

// What came out, in words.
class Recorder : public PortSink {
 public:
  void on_stun(const Endpoint& from, Bytes) override { seen.push_back("stun " + from.to_string()); }
  void on_handshake(const Endpoint& from, PeerId peer, Bytes) override {
    seen.push_back("handshake " + from.to_string() + " " + std::to_string(peer.value));
  }
  void on_inner(Peer& peer, const Endpoint&, Bytes gre) override {
    seen.push_back("inner " + std::to_string(peer.id.value) + " " + std::string(as_text(gre)));
  }
  void on_closed(PeerId peer, std::string) override {
    seen.push_back("closed " + std::to_string(peer.value));
  }
  std::vector<std::string> seen;
};

class PortReaderTest : public testing::Test {
 protected:
  PortReaderTest() {
    auto ends = Established::make();
    remote_ = std::move(ends.client);
    sessions_.add({PeerId{5}, kPeerEndpoint, std::move(ends.server)});
  }
  void take(const Endpoint& from, Bytes datagram) { reader_.take(from, datagram, sink_, t0); }

  Result<linux::UdpSocket, Failure> socket_ = linux::UdpSocket::open({});
  SessionTable sessions_;
  PortCounters counters_;
  RelayRoute route_;
  PortReader reader_{*socket_, sessions_, counters_, route_};
  Recorder sink_;
  std::unique_ptr<secure::DtlsSession> remote_;
};

TEST_F(PortReaderTest, OpensRecordsOfASession) {
  take(kPeerEndpoint, seal(*remote_, as_bytes("one")));
  take(kPeerEndpoint, seal(*remote_, as_bytes("two")));
  EXPECT_THAT(sink_.seen, ElementsAre("inner 5 one", "inner 5 two"));
  EXPECT_EQ(sessions_.find(PeerId{5})->records, 2U);
  EXPECT_EQ(sessions_.find(PeerId{5})->last_received, t0);
}

TEST_F(PortReaderTest, DropsReplayedForgedAndUnvouchedRecords) {
  const auto record = seal(*remote_, as_bytes("one"));
  take(kStranger, record);
  EXPECT_EQ(counters_.unvouched, 1U);
  take(kPeerEndpoint, record);
  take(kPeerEndpoint, record);
  EXPECT_EQ(counters_.rejected, 1U);
  auto forged = seal(*remote_, as_bytes("two"));
  forged.back() ^= 1;
  take(kPeerEndpoint, forged);
  EXPECT_EQ(counters_.rejected, 2U);
  for (std::size_t n = 0; n < record.size(); ++n) {
    take(kPeerEndpoint, Bytes(record).first(n));
  }
  EXPECT_THAT(sink_.seen, ElementsAre("inner 5 one"));
  take(kPeerEndpoint, seal(*remote_, as_bytes("alive")));
  EXPECT_EQ(sink_.seen.size(), 2U);
}

TEST_F(PortReaderTest, TellsStunAndHandshakesApart) {
  take(kStranger, *from_hex("000100002112a442000102030405060708090a0b"));
  take(kStranger, *from_hex("16fefd0000000000000000000101"));
  take(kPeerEndpoint, *from_hex("16fefd0000000000000000000101"));
  take(kPeerEndpoint, *from_hex("14fefd0000000000000000000101"));
  EXPECT_THAT(sink_.seen, ElementsAre("stun 192.0.2.8:4000", "handshake 192.0.2.8:4000 0",
                                      "handshake 192.0.2.7:4000 5", "handshake 192.0.2.7:4000 5"));
  take(kStranger, as_bytes("hello"));
  take(kStranger, *from_hex("19fefd0000000000000000000101"));
  take(kStranger, {});
  EXPECT_EQ(counters_.stray, 3U);
  EXPECT_EQ(counters_.datagrams, 7U);
}

TEST_F(PortReaderTest, WhatTheRelayWrapsComesFromItsChannel) {
  const Endpoint relay = *Endpoint::parse("203.0.113.10:3479");
  const Endpoint behind = wire::channel_endpoint(0x4001);
  sessions_.move({PeerId{5}, behind});
  const auto wrapped = [](Bytes datagram) { return wire::encode_channel_data(0x4001, datagram); };
  take(relay, wrapped(seal(*remote_, as_bytes("early"))));
  EXPECT_EQ(counters_.stray, 1U) << "there is no relay yet";
  route_.set(relay);
  take(relay, wrapped(seal(*remote_, as_bytes("one"))));
  take(relay, wrapped(*from_hex("000100002112a442000102030405060708090a0b")));
  take(relay, *from_hex("010300002112a442000102030405060708090a0b"));
  take(kStranger, wrapped(seal(*remote_, as_bytes("forged"))));
  EXPECT_THAT(sink_.seen, ElementsAre("inner 5 one", "stun " + behind.to_string(), "stun 203.0.113.10:3479"));
  EXPECT_EQ(counters_.stray, 2U);
  route_.set(std::nullopt);
  take(relay, wrapped(seal(*remote_, as_bytes("late"))));
  EXPECT_EQ(sink_.seen.size(), 3U);
}

TEST_F(PortReaderTest, NobodyElseSpeaksForAChannel) {
  const Endpoint behind = wire::channel_endpoint(0x4001);
  sessions_.move({PeerId{5}, behind});
  route_.set(*Endpoint::parse("203.0.113.10:3479"));
  take(behind, seal(*remote_, as_bytes("forged source")));
  EXPECT_EQ(counters_.stray, 1U);
  EXPECT_TRUE(sink_.seen.empty());
}

TEST_F(PortReaderTest, AGoodbyeEndsTheSession) {
  Buffer record(128);
  record.resize(remote_->close(record));
  take(kPeerEndpoint, record);
  EXPECT_THAT(sink_.seen, ElementsAre("closed 5"));
  EXPECT_EQ(sessions_.find(PeerId{5}), nullptr);
}

TEST_F(PortReaderTest, AForgedGoodbyeEndsNothing) {
  take(kPeerEndpoint, *from_hex("15fefd000000000000000900020100"));
  EXPECT_THAT(sink_.seen, ElementsAre("handshake 192.0.2.7:4000 5"));
  take(kPeerEndpoint, seal(*remote_, as_bytes("alive")));
  EXPECT_EQ(sink_.seen.back(), "inner 5 alive");
}

TEST_F(PortReaderTest, PassingToAnUnknownSessionIsHarmless) {
  reader_.pass_to_session({PeerId{77}, Buffer{22}}, t0);
  reader_.pass_to_session({PeerId{5}, *from_hex("16fefd0000000000000000000101")}, t0);
  take(kPeerEndpoint, seal(*remote_, as_bytes("alive")));
  EXPECT_EQ(sink_.seen.back(), "inner 5 alive");
}

}  // namespace
}  // namespace hearthcast::datapath
