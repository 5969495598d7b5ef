// GRE and 6in4 straight over IP, on a loopback of our own.
#include "tunnelmgr/linux/raw_ip_socket.hpp"

#include <poll.h>

#include <array>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::linux {
namespace {

const IpAddress kHere4 = *IpAddress::parse("127.0.0.1");
const IpAddress kHere6 = *IpAddress::parse("::1");

RawIpSocket open(Family family, std::uint8_t protocol) {
  NetdClient netd;  // as root: by our own privilege
  auto fd = netd.open_raw_ip(family, protocol);
  EXPECT_TRUE(fd) << fd.error().text;
  return {std::move(*fd), family};
}

std::vector<Buffer> received(RawIpSocket& socket, std::size_t count) {
  ReceiveBatch batch;
  std::vector<Buffer> all;
  while (all.size() < count) {
    pollfd ready{socket.fd(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) != 1) {
      ADD_FAILURE() << "only " << all.size() << " came";
      break;
    }
    for (const Datagram& datagram : socket.receive(batch).datagrams) {
      EXPECT_EQ(datagram.source.port, 0);
      EXPECT_TRUE(datagram.source.address.is_loopback());
      const Bytes payload = socket.payload(datagram);
      all.emplace_back(payload.begin(), payload.end());
    }
  }
  return all;
}

void in_network(const std::function<void()>& body) {
  if (!in_private_network(1500, body)) {
    GTEST_SKIP() << "needs root: a network namespace of its own";
  }
}

// Three packets, the last one shorter.
const Buffer kSlab{0, 0, 8, 0, 1, 0, 0, 8, 0, 2, 9, 9};
const std::vector<Buffer> kPackets{{0, 0, 8, 0, 1}, {0, 0, 8, 0, 2}, {9, 9}};

TEST(RawIpSocket, CarriesWhatIsInIpBothWaysInEveryKind) {
  in_network([] {
    for (const auto& [family, protocol] :
         {std::pair(Family::kIp4, 47), {Family::kIp4, 41}, {Family::kIp6, 47}}) {
      RawIpSocket socket = open(family, static_cast<std::uint8_t>(protocol));
      const IpAddress& here = family == Family::kIp4 ? kHere4 : kHere6;
      Buffer slab{0, 0, 8, 0, 1, 0, 0, 8, 0, 2, 9, 9};
      const SendResult sent = socket.send_segments(here, slab, 5, 3, 2);
      EXPECT_EQ(sent.outcome, SendOutcome::kSent);
      EXPECT_EQ(sent.datagrams, 3U);
      EXPECT_EQ(received(socket, 3), kPackets) << protocol;
    }
  });
}

TEST(RawIpSocket, SendsMoreThanOneCallTakesAndWhatIsTooLargeForTheLink) {
  in_network([] {
    RawIpSocket socket = open(Family::kIp4, 47);
    const Buffer many(800, 0x11);
    EXPECT_EQ(socket.send_segments(kHere4, many, 8, 100, 8).datagrams, 100U);
    EXPECT_EQ(received(socket, 100).size(), 100U);
    const Buffer large(4000, 0x22);
    EXPECT_EQ(socket.send_segments(kHere4, large, 4000, 1, 4000).outcome, SendOutcome::kSent);
    EXPECT_EQ(received(socket, 1), std::vector<Buffer>{large}) << "fragmented on the way and put together";
  });
}

TEST(RawIpSocket, TellsWhereItCannotSend) {
  in_network([] {
    RawIpSocket socket = open(Family::kIp4, 41);
    EXPECT_EQ(socket.send_segments(kHere6, kSlab, 5, 3, 2).outcome, SendOutcome::kUnreachable);
    const SendResult nowhere = socket.send_segments(*IpAddress::parse("192.0.2.1"), kSlab, 5, 3, 2);
    EXPECT_EQ(nowhere.outcome, SendOutcome::kUnreachable);
    EXPECT_EQ(nowhere.datagrams, 0U);
  });
}

TEST(RawIpSocket, IsOfTunnelProtocolsOnly) {
  NetdClient netd;
  for (const std::uint8_t protocol : std::array<std::uint8_t, 4>{1, 6, 17, 58}) {
    const auto refused = netd.open_raw_ip(Family::kIp4, protocol);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("protocol " + std::to_string(protocol)), std::string::npos);
  }
  EXPECT_FALSE(netd.open_raw_ip(Family::kIp6, 41)) << "6in4 is over IPv4";
}

}  // namespace
}  // namespace hearthcast::linux
