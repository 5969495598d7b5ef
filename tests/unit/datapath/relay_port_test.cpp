#include "tunnelmgr/datapath/relay_port.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/datapath/established.hpp"
#include "tests/unit/linux/tcp_server.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const Endpoint kBehind = wire::channel_endpoint(0x4003);

class Recorder : public PortSink {
 public:
  void on_stun(const Endpoint& from, Bytes) override { seen.push_back("stun " + from.to_string()); }
  void on_handshake(const Endpoint& from, PeerId, Bytes) override {
    seen.push_back("handshake " + from.to_string());
  }
  void on_inner(Peer& peer, const Endpoint& from, Bytes gre) override {
    seen.push_back("inner " + std::to_string(peer.id.value) + " " + from.to_string() + " " +
                   std::string(as_text(gre)));
  }
  void on_closed(PeerId, std::string) override { seen.push_back("closed"); }
  std::vector<std::string> seen;
};

class RelayPortTest : public testing::Test {
 protected:
  RelayPortTest() {
    auto ends = Established::make();
    remote_ = std::move(ends.client);
    sessions_.add({PeerId{5}, kBehind, std::move(ends.server)});
  }
  void open(std::uint64_t id) { port_.open({id, server_.endpoint(), nullptr, ""}); }
  template <class Done>
  bool run_until(Done done) {
    const Time end = Clock::now() + 10s;
    while (!done() && Clock::now() < end) {
      if (auto change = port_.tend()) {
        changes_.push_back(std::to_string(change->id) + (change->open ? " open" : " not: " + change->reason));
      }
      for (const auto& event : epoll_.wait(Clock::now() + 50ms)) {
        EXPECT_EQ(event.token, 2U);
        port_.on_event(event, reader_, sink_, Clock::now());
      }
    }
    return done();
  }
  bool changes(std::size_t count) {
    return run_until([&] { return changes_.size() >= count; });
  }

  linux::TcpServer server_;
  linux::Epoll epoll_;
  Result<linux::UdpSocket, Failure> socket_ = linux::UdpSocket::open({});
  SessionTable sessions_;
  PortCounters counters_;
  RelayRoute route_;
  PortReader reader_{*socket_, sessions_, counters_, route_};
  SegmentSender sender_{*socket_, route_};
  RelayPort port_{epoll_, route_, 2};
  Recorder sink_;
  std::vector<std::string> changes_;
  std::unique_ptr<secure::DtlsSession> remote_;
};

TEST_F(RelayPortTest, ASessionBehindTheRelayIsHeardAndSpokenToOnTheStream) {
  open(1);
  server_.accept();
  ASSERT_TRUE(changes(1));
  EXPECT_THAT(changes_, ElementsAre("1 open"));
  EXPECT_EQ(route_.stream_server(), server_.endpoint());
  const auto record = wire::encode_channel_data(0x4003, seal(*remote_, as_bytes("one")));
  server_.write(record);
  server_.write(Buffer((4 - record.size() % 4) % 4));
  server_.write(*from_hex("000100002112a442000102030405060708090a0b"));
  ASSERT_TRUE(run_until([this] { return sink_.seen.size() == 2; }));
  EXPECT_THAT(sink_.seen, ElementsAre("inner 5 " + kBehind.to_string() + " one",
                                      "stun " + server_.endpoint().to_string()));
  EXPECT_EQ(counters_.datagrams, 2U);

  const Buffer first(700, 1);
  const Buffer second(90, 2);
  const std::vector<Bytes> packets{first, second};
  const auto sent = sender_.send(*sessions_.find(PeerId{5}), packets);
  EXPECT_EQ(sent.packets, 2U);
  EXPECT_EQ(sent.drops, 0U);
  for (const auto& packet : {first, second}) {
    const std::size_t size =
        wire::kChannelHeaderSize + packet.size() + sessions_.find(PeerId{5})->session->overhead();
    const std::string octets = server_.read((size + 3) / 4 * 4);
    const auto data = wire::decode_channel_data(as_bytes(octets));
    ASSERT_TRUE(data);
    EXPECT_EQ(data->channel, 0x4003);
    Buffer plaintext(secure::kDtlsMaxPlaintext);
    const auto opened = remote_->open(data->payload, plaintext);
    ASSERT_TRUE(opened);
    EXPECT_TRUE(equal(Bytes(plaintext).first(*opened), packet));
  }
}

TEST_F(RelayPortTest, AStreamThatEndsIsToldOnceAndLeadsNowhere) {
  open(3);
  server_.accept();
  ASSERT_TRUE(changes(1));
  server_.hang_up();
  ASSERT_TRUE(changes(2));
  EXPECT_THAT(changes_.back(), HasSubstr("3 not: the relay closed"));
  EXPECT_EQ(route_.stream(), nullptr);
  EXPECT_FALSE(port_.tend());
  const Buffer packet(10, 1);
  const std::vector<Bytes> packets{packet};
  EXPECT_EQ(sender_.send(*sessions_.find(PeerId{5}), packets).drops, 1U);
}

TEST_F(RelayPortTest, ANewStreamTakesThePlaceOfTheOld) {
  open(1);
  server_.accept();
  ASSERT_TRUE(changes(1));
  open(2);
  EXPECT_EQ(server_.read(1), "") << "the first is closed";
  server_.accept();
  ASSERT_TRUE(changes(2));
  EXPECT_THAT(changes_, ElementsAre("1 open", "2 open"));
}

TEST_F(RelayPortTest, ARelayOverUdpTakesThePlaceOfAStream) {
  open(1);
  server_.accept();
  ASSERT_TRUE(changes(1));
  const Endpoint relay = *Endpoint::parse("203.0.113.10:3479");
  port_.set({relay});
  EXPECT_EQ(route_.stream(), nullptr);
  EXPECT_EQ(route_.next_hop(kBehind), relay);
  EXPECT_EQ(server_.read(1), "");
  EXPECT_FALSE(port_.tend()) << "whoever asked for that knows";
}

TEST_F(RelayPortTest, WhatCannotEvenBeTriedIsTold) {
  port_.open({9, *Endpoint::parse("255.255.255.255:443"), nullptr, ""});
  ASSERT_TRUE(changes(1));
  EXPECT_THAT(changes_, ElementsAre(HasSubstr("9 not: ")));
}

}  // namespace
}  // namespace hearthcast::datapath
