#include "tunnelmgr/datapath/segment_sender.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/unit/datapath/established.hpp"
#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::datapath {
namespace {

class SegmentSenderTest : public testing::Test {
 protected:
  SegmentSenderTest() {
    auto ends = Established::make();
    receiver_ = std::move(ends.client);
    peer_.session = std::move(ends.server);
    peer_.endpoint = {*IpAddress::parse("127.0.0.1"), there_->port()};
  }

  // What arrives, opened, in order.
  std::vector<Buffer> receive(std::size_t count) {
    std::vector<Buffer> result;
    linux::ReceiveBatch batch;
    while (result.size() < count) {
      pollfd ready{there_->fd(), POLLIN, 0};
      if (::poll(&ready, 1, 10'000) <= 0) {
        break;
      }
      for (const auto& datagram : there_->receive(batch).datagrams) {
        Buffer plaintext(secure::kDtlsMaxPlaintext);
        const auto size = receiver_->open(datagram.payload, plaintext);
        EXPECT_TRUE(size);
        plaintext.resize(size ? *size : 0);
        result.push_back(std::move(plaintext));
      }
    }
    return result;
  }

  void sends(const std::vector<Buffer>& packets) {
    const std::vector<Bytes> views(packets.begin(), packets.end());
    const auto sent = sender_.send(peer_, views);
    EXPECT_EQ(sent.packets, packets.size());
    EXPECT_EQ(sent.drops, 0U);
    std::size_t bytes = 0;
    for (const auto& packet : packets) {
      bytes += packet.size() + peer_.session->overhead();
    }
    EXPECT_EQ(sent.bytes, bytes);
    EXPECT_EQ(receive(packets.size()), packets);
  }

  Result<linux::UdpSocket, Failure> here_ = linux::UdpSocket::open({});
  Result<linux::UdpSocket, Failure> there_ = linux::UdpSocket::open({});
  RelayRoute route_;
  SegmentSender sender_{*here_, route_};
  Peer peer_;
  std::unique_ptr<secure::DtlsSession> receiver_;
};

Buffer packet(std::size_t size, int fill) { return Buffer(size, static_cast<std::uint8_t>(fill)); }

TEST_F(SegmentSenderTest, AFullBatchArrivesInOrder) {
  std::vector<Buffer> packets;
  for (std::size_t n = 0; n < kMaxBatch; ++n) {
    packets.push_back(packet(1376, static_cast<int>(n)));
  }
  sends(packets);
}

TEST_F(SegmentSenderTest, SizesMayChangeAtAnyPoint) {
  sends({packet(100, 1), packet(100, 2), packet(50, 3), packet(50, 4), packet(200, 5), packet(10, 6),
         packet(1500, 7)});
  sends({packet(1, 1)});
  sends({packet(5, 1), packet(6, 2), packet(7, 3)});
  sends({packet(7, 1), packet(6, 2), packet(5, 3)});
}

TEST_F(SegmentSenderTest, NothingToSendIsFine) { sends({}); }

TEST_F(SegmentSenderTest, AnEndedSessionDropsAndCounts) {
  Buffer record(128);
  (void)peer_.session->close(record);
  const auto one = packet(10, 1);
  const std::vector<Bytes> views{one, one};
  const auto sent = sender_.send(peer_, views);
  EXPECT_EQ(sent.packets, 0U);
  EXPECT_EQ(sent.drops, 2U);
}

TEST_F(SegmentSenderTest, PairsOfFragmentsArriveInOrder) {
  std::vector<Buffer> packets;
  for (int n = 0; n < 20; ++n) {
    packets.push_back(packet(712, n));
    packets.push_back(packet(n % 2 == 0 ? 712 : 711, n));  // an even and an odd datagram
  }
  sends(packets);
}

TEST_F(SegmentSenderTest, APeerBehindTheRelayGetsEachRecordBehindItsChannelsHeader) {
  route_.set(peer_.endpoint);
  peer_.endpoint = wire::channel_endpoint(0x4007);
  const std::vector<Buffer> packets{packet(700, 1), packet(700, 2), packet(700, 3), packet(90, 4)};
  const std::vector<Bytes> views(packets.begin(), packets.end());
  const auto sent = sender_.send(peer_, views);
  EXPECT_EQ(sent.packets, packets.size());
  EXPECT_EQ(sent.bytes, 3 * 700 + 90 + 4 * (peer_.session->overhead() + wire::kChannelHeaderSize));
  std::vector<Buffer> opened;
  linux::ReceiveBatch batch;
  while (opened.size() < packets.size()) {
    pollfd ready{there_->fd(), POLLIN, 0};
    ASSERT_GT(::poll(&ready, 1, 10'000), 0);
    for (const auto& datagram : there_->receive(batch).datagrams) {
      const auto data = wire::decode_channel_data(datagram.payload);
      ASSERT_TRUE(data);
      EXPECT_EQ(data->channel, 0x4007);
      EXPECT_EQ(data->payload.size() + wire::kChannelHeaderSize, datagram.payload.size());
      Buffer plaintext(secure::kDtlsMaxPlaintext);
      const auto size = receiver_->open(data->payload, plaintext);
      ASSERT_TRUE(size);
      plaintext.resize(*size);
      opened.push_back(std::move(plaintext));
    }
  }
  EXPECT_EQ(opened, packets);
}

TEST_F(SegmentSenderTest, APeerBehindARelayThatIsGoneGetsNothing) {
  peer_.endpoint = wire::channel_endpoint(0x4007);
  const auto one = packet(700, 1);
  const std::vector<Bytes> views{one, one};
  const auto sent = sender_.send(peer_, views);
  EXPECT_EQ(sent.packets, 0U);
  EXPECT_EQ(sent.drops, 2U);
}

TEST_F(SegmentSenderTest, ASizeThatTheSystemRefusesIsNoted) {
  const bool permitted = linux::in_private_network(1400, [this] {
    auto probing = linux::UdpSocket::open({.probe_path_size = true});
    SegmentSender sender(*probing, route_);
    const auto large = packet(1400 - 28 - 36, 1);  // an octet too much with its seal of 37
    const auto fitting = packet(1400 - 28 - 37, 2);
    const std::vector<Bytes> both{large, large, fitting};
    const auto sent = sender.send(peer_, both);
    EXPECT_EQ(sent.drops, 2U + (sent.packets == 0 ? 1U : 0U));
    EXPECT_EQ(peer_.refused_size, 1400U - 28 + 1);
    peer_.refused_size = 0;
    const std::vector<Bytes> small{fitting, fitting};
    EXPECT_EQ(sender.send(peer_, small).drops, 0U);
    EXPECT_EQ(peer_.refused_size, 0U);
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST_F(SegmentSenderTest, TheOuterHeaderGetsTheMarkAsked) {
  for (const std::uint8_t ecn : {std::uint8_t{2}, std::uint8_t{0}, std::uint8_t{3}}) {
    const auto one = packet(700, 1);
    const std::vector<Bytes> views{one, one, one};
    EXPECT_EQ(sender_.send(peer_, views, ecn).packets, 3U);
    pollfd ready{there_->fd(), POLLIN, 0};
    linux::ReceiveBatch batch;
    std::size_t came = 0;
    while (came < 3 && ::poll(&ready, 1, 10'000) > 0) {
      for (const auto& datagram : there_->receive(batch).datagrams) {
        EXPECT_EQ(datagram.traffic_class, ecn);
        ++came;
      }
    }
    EXPECT_EQ(came, 3U);
  }
}

TEST_F(SegmentSenderTest, AnUnreachablePeerCostsOnlyDrops) {
  peer_.endpoint = {*IpAddress::parse("255.255.255.255"), 9};  // forbidden without SO_BROADCAST
  const auto one = packet(10, 1);
  const std::vector<Bytes> views{one, one, one};
  EXPECT_EQ(sender_.send(peer_, views).drops, 3U);
}

}  // namespace
}  // namespace hearthcast::datapath
