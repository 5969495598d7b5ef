#include "tunnelmgr/linux/udp_socket.hpp"

#include <gmock/gmock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
// After the C library's own, which it agrees with in this order only.
#include <linux/ipv6.h>

#include <cerrno>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

const IpAddress kLoopback4 = *IpAddress::parse("127.0.0.1");
const IpAddress kLoopback6 = *IpAddress::parse("::1");

UdpSocket open(const UdpOptions& options = {}) {
  auto socket = UdpSocket::open(options);
  EXPECT_TRUE(socket) << (socket ? "" : socket.error().text);
  return std::move(*socket);
}

// Collects until count datagrams have come; gives up after ten seconds, which only a broken socket needs.
std::vector<std::pair<Endpoint, Buffer>> collect(UdpSocket& socket, std::size_t count) {
  std::vector<std::pair<Endpoint, Buffer>> all;
  ReceiveBatch batch(4);
  while (all.size() < count) {
    pollfd ready{socket.fd(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) <= 0) {
      break;
    }
    for (const Datagram& d : socket.receive(batch).datagrams) {
      all.emplace_back(d.source, Buffer(d.payload.begin(), d.payload.end()));
    }
  }
  return all;
}

Buffer numbered(std::size_t stride, std::size_t count, std::size_t last_size) {
  Buffer slab((count - 1) * stride + last_size);
  for (std::size_t i = 0; i < slab.size(); ++i) {
    slab[i] = static_cast<std::uint8_t>(i / stride);
  }
  return slab;
}

TEST(UdpSocket, SaysWhetherMoreMayWait) {
  UdpSocket a = open();
  UdpSocket b = open();
  for (const char* text : {"1", "22", "333", "4444", "55555"}) {
    ASSERT_EQ(a.send({kLoopback4, b.port()}, as_bytes(text)).outcome, SendOutcome::kSent);
  }
  ReceiveBatch batch(4);  // loopback delivers before send() returns
  const auto full = b.receive(batch);
  EXPECT_EQ(full.datagrams.size(), 4u);
  EXPECT_TRUE(full.more);
  EXPECT_TRUE(batch.full());
  const auto rest = b.receive(batch);
  EXPECT_EQ(rest.datagrams.size(), 1u);
  EXPECT_FALSE(rest.more);
  EXPECT_FALSE(batch.full());
  EXPECT_FALSE(b.receive(batch).more);
}

TEST(UdpSocket, CarriesBothFamiliesAndHidesTheMappedForm) {
  UdpSocket a = open();
  UdpSocket b = open();
  ASSERT_NE(a.port(), 0);
  for (const IpAddress& loopback : {kLoopback4, kLoopback6}) {
    ASSERT_EQ(a.send({loopback, b.port()}, as_bytes("hello")).outcome, SendOutcome::kSent);
    const auto got = collect(b, 1);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].first, (Endpoint{loopback, a.port()}));
    EXPECT_EQ(as_text(got[0].second), "hello");
  }
}

TEST(UdpSocket, EmptyDatagramIsADatagram) {
  UdpSocket a = open();
  UdpSocket b = open();
  ASSERT_EQ(a.send({kLoopback4, b.port()}, {}).outcome, SendOutcome::kSent);
  const auto got = collect(b, 1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].second.empty());
}

TEST(UdpSocket, ReportsTheTrafficClass) {
  UdpSocket a = open();
  UdpSocket b = open();
  ASSERT_TRUE(set_option(a.fd(), IPPROTO_IP, IP_TOS, 0x28));
  ASSERT_TRUE(set_option(a.fd(), IPPROTO_IPV6, IPV6_TCLASS, 0x48));
  ReceiveBatch batch;
  for (const auto& [loopback, expected] : {std::pair{kLoopback4, 0x28}, std::pair{kLoopback6, 0x48}}) {
    a.send({loopback, b.port()}, as_bytes("x"));
    pollfd ready{b.fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
    const auto got = b.receive(batch).datagrams;
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].traffic_class, expected);
  }
}

TEST(UdpSocket, ReceivesNothingWithoutBlocking) {
  UdpSocket a = open();
  ReceiveBatch batch;
  const auto got = a.receive(batch);
  EXPECT_TRUE(got.datagrams.empty());
  EXPECT_EQ(got.error, 0);
}

// With and without offload the receiver sees the same datagrams: borders, order and a shorter last one.
TEST(UdpSocket, SegmentsArriveAsTheyWereCut) {
  for (const bool offload : {true, false}) {
    for (const IpAddress& loopback : {kLoopback4, kLoopback6}) {
      UdpSocket a = open();
      UdpSocket b = open({.port = 0, .address = {}, .receive_buffer = 4 << 20});
      if (!offload) {
        a.stop_offloading();
      }
      for (const auto& [stride, count, last] :
           {std::tuple<std::size_t, std::size_t, std::size_t>{1400, 1, 700},
            {1400, 2, 1400},
            {1400, 47, 1},
            {100, 130, 100},
            {40'000, 3, 5}}) {
        const Buffer slab = numbered(stride, count, last);
        const SendResult sent = a.send_segments({loopback, b.port()}, slab, stride, count, last);
        ASSERT_EQ(sent.outcome, SendOutcome::kSent) << sent.error;
        ASSERT_EQ(sent.datagrams, count);
        const auto got = collect(b, count);
        ASSERT_EQ(got.size(), count);
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT_EQ(got[i].second.size(), i + 1 == count ? last : stride);
          EXPECT_EQ(got[i].second[0], static_cast<std::uint8_t>(i));
        }
      }
      EXPECT_EQ(a.offloads(), offload);
    }
  }
}

TEST(UdpSocket, NoSegmentsIsNothingToDo) {
  UdpSocket a = open();
  const SendResult sent = a.send_segments({kLoopback4, 9}, {}, 1400, 0, 1400);
  EXPECT_EQ(sent.outcome, SendOutcome::kSent);
  EXPECT_EQ(sent.datagrams, 0U);
}

TEST(UdpSocket, MoreThanADatagramIsReported) {
  UdpSocket a = open();
  EXPECT_EQ(a.send({kLoopback4, 9}, Buffer(65'508)).outcome, SendOutcome::kTooBig);
}

TEST(UdpSocket, Row41_WhatIsLargerThanThePathArrivesWholeAndKeepsOffload) {
  const bool permitted = in_private_network(1400, [] {
    for (const IpAddress& loopback : {kLoopback4, kLoopback6}) {
      UdpSocket sender = open();
      UdpSocket receiver = open();
      const Buffer slab = numbered(1500, 3, 1450);
      const SendResult sent = sender.send_segments({loopback, receiver.port()}, slab, 1500, 3, 1450);
      EXPECT_EQ(sent.outcome, SendOutcome::kSent) << sent.error;
      EXPECT_EQ(sent.datagrams, 3U);
      EXPECT_TRUE(sender.offloads());
      EXPECT_EQ(sender.send({loopback, receiver.port()}, Bytes(slab).first(1401)).outcome,
                SendOutcome::kSent);
      const auto got = collect(receiver, 4);
      ASSERT_EQ(got.size(), 4U);
      EXPECT_EQ(got[0].second, Buffer(1500, 0));
      EXPECT_EQ(got[1].second, Buffer(1500, 1));
      EXPECT_EQ(got[2].second, Buffer(1450, 2));
      EXPECT_EQ(got[3].second, Buffer(1401, 0));
    }
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

// On a path of 1400 octets a prober's socket sends exactly what fits, singly and in batches, and says so of
// the rest.
TEST(UdpSocket, AProberSendsWholeDatagramsOrNone) {
  const bool permitted = in_private_network(1400, [] {
    for (const auto& [loopback, headers] : {std::pair{kLoopback4, 28U}, std::pair{kLoopback6, 48U}}) {
      UdpSocket sender = open({.probe_path_size = true});
      UdpSocket receiver = open();
      const std::size_t fits = 1400 - headers;
      const Endpoint there{loopback, receiver.port()};
      const Buffer slab = numbered(fits, 3, 100);
      EXPECT_EQ(sender.send_segments(there, slab, fits, 3, 100).outcome, SendOutcome::kSent);
      EXPECT_EQ(collect(receiver, 3).size(), 3U);
      const Buffer large = numbered(fits + 1, 3, 100);
      const SendResult refused = sender.send_segments(there, large, fits + 1, 3, 100);
      EXPECT_EQ(refused.outcome, SendOutcome::kTooBig);
      EXPECT_EQ(refused.datagrams, 0U);
      EXPECT_EQ(sender.send(there, Bytes(large).first(fits + 1)).outcome, SendOutcome::kTooBig);
      EXPECT_EQ(sender.send(there, Bytes(large).first(fits)).outcome, SendOutcome::kSent);
      EXPECT_TRUE(sender.offloads());
    }
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(UdpSocket, MarksWhatItSendsAndCongestionOnWish) {
  UdpSocket sender = open({.dscp = 34});
  UdpSocket receiver = open();
  ReceiveBatch batch;
  for (const bool offload : {true, false}) {
    if (!offload) {
      sender.stop_offloading();
    }
    for (const IpAddress& loopback : {kLoopback4, kLoopback6}) {
      const Endpoint there{loopback, receiver.port()};
      for (const int ecn : {0, 1, 2, 3}) {
        const Buffer slab = numbered(1000, 2, 1000);
        ASSERT_EQ(sender.send_segments(there, slab, 1000, 2, 1000, static_cast<std::uint8_t>(ecn)).datagrams,
                  2U);
        for (std::size_t came = 0; came < 2;) {
          pollfd ready{receiver.fd(), POLLIN, 0};
          ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
          for (const auto& datagram : receiver.receive(batch).datagrams) {
            EXPECT_EQ(datagram.traffic_class, 34 << 2 | ecn);
            ++came;
          }
        }
      }
      ASSERT_EQ(sender.send(there, as_bytes("x")).outcome, SendOutcome::kSent);
      pollfd ready{receiver.fd(), POLLIN, 0};
      ASSERT_EQ(::poll(&ready, 1, 10'000), 1);
      EXPECT_EQ(receiver.receive(batch).datagrams[0].traffic_class, 34 << 2);
    }
  }
}

TEST(UdpSocket, UnreachableIsReported) {
  const bool permitted = in_private_network(65536, [] {
    UdpSocket sender = open();
    const SendResult sent = sender.send({*IpAddress::parse("192.0.2.1"), 9}, as_bytes("x"));
    EXPECT_EQ(sent.outcome, SendOutcome::kUnreachable);
    EXPECT_EQ(sent.error, ENETUNREACH);
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(UdpSocket, OneFamilyOnlyWhenAskedFor) {
  UdpSocket a = open({.port = 0, .address = kLoopback4, .receive_buffer = 65536});
  EXPECT_TRUE(a.reaches(Family::kIp4));
  EXPECT_FALSE(a.reaches(Family::kIp6));
  EXPECT_EQ(a.send({kLoopback6, 9}, as_bytes("x")).outcome, SendOutcome::kUnreachable);
  EXPECT_GE(a.receive_buffer(), 65536U);
}

TEST(UdpSocket, BusyPortIsAClearFailure) {
  UdpSocket a = open();
  const auto second = UdpSocket::open({.port = a.port(), .address = {}, .receive_buffer = 65536});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text, testing::HasSubstr("another program has this port"));
}

// Asks until the server has heard it: the kernel takes an address that is new into use in its own time.
std::optional<Endpoint> ask(UdpSocket& client, const Endpoint& there, UdpSocket& server) {
  ReceiveBatch batch(4);
  for (int n = 0; n < 200; ++n) {
    (void)client.send(there, as_bytes("question"));
    pollfd ready{server.fd(), POLLIN, 0};
    if (::poll(&ready, 1, 100) > 0) {
      const auto received = server.receive(batch).datagrams;
      return received.empty() ? std::nullopt : std::optional(received[0].source);
    }
  }
  return std::nullopt;
}

// Asks at an address of the server that the kernel would not answer from, and tells where the answer came
// from.
void expect_answer_from_addressed(const IpAddress& asked, const IpAddress& client_address) {
  UdpSocket server =
      open({.port = 0, .address = {}, .receive_buffer = 1 << 20, .answer_from_addressed = true});
  UdpSocket client = open({.port = 0, .address = client_address, .receive_buffer = 1 << 20});
  const Endpoint there{asked, server.port()};
  const Endpoint back{client_address, client.port()};
  ASSERT_EQ(ask(client, there, server), back);

  ASSERT_EQ(server.send(back, as_bytes("answer")).outcome, SendOutcome::kSent);
  const auto answer = collect(client, 1);
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_EQ(answer[0].first, there);

  for (const bool offload : {true, false}) {
    if (!offload) {
      server.stop_offloading();
    }
    const Buffer slab = numbered(1000, 5, 300);
    ASSERT_EQ(server.send_segments(back, slab, 1000, 5, 300).datagrams, 5U);
    for (const auto& [from, payload] : collect(client, 5)) {
      EXPECT_EQ(from, there);
    }
  }
  server.on_network_change();
  ASSERT_EQ(server.send(back, as_bytes("unasked")).outcome, SendOutcome::kSent);
  const auto unasked = collect(client, 1);
  ASSERT_EQ(unasked.size(), 1U);
  EXPECT_NE(unasked[0].first, there) << "the kernel chooses again, or this test shows nothing";
}

TEST(UdpSocket, AnswersFromTheAddressThatWasAsked) {
  expect_answer_from_addressed(*IpAddress::parse("127.0.0.2"), kLoopback4);
}

// SIOCSIFADDR or SIOCDIFADDR: gives an IPv6 address to the loopback, or takes it away.
void change_loopback(unsigned long what, const IpAddress& address) {
  in6_ifreq request{};
  std::copy_n(address.bytes().begin(), 16, request.ifr6_addr.s6_addr);
  request.ifr6_prefixlen = 128;
  request.ifr6_ifindex = static_cast<int>(::if_nametoindex("lo"));
  const Fd control(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::ioctl(control.get(), what, &request), 0);
}

TEST(UdpSocket, AnswersFromTheIp6AddressThatWasAsked) {
  const bool permitted = in_private_network(65536, [] {
    const IpAddress second = *IpAddress::parse("fd00::2");
    change_loopback(SIOCSIFADDR, second);
    expect_answer_from_addressed(second, kLoopback6);
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(UdpSocket, AnAddressThatIsGoneIsNotSentFrom) {
  const bool permitted = in_private_network(65536, [] {
    const IpAddress second = *IpAddress::parse("fd00::2");
    change_loopback(SIOCSIFADDR, second);
    UdpSocket server =
        open({.port = 0, .address = {}, .receive_buffer = 1 << 20, .answer_from_addressed = true});
    UdpSocket client = open({.port = 0, .address = kLoopback6, .receive_buffer = 1 << 20});
    ASSERT_TRUE(ask(client, {second, server.port()}, server));
    change_loopback(SIOCDIFADDR, second);
    const Buffer slab = numbered(1000, 3, 1000);
    const Endpoint back{kLoopback6, client.port()};
    EXPECT_EQ(server.send_segments(back, slab, 1000, 3, 1000).datagrams, 3U);
    EXPECT_EQ(server.send(back, as_bytes("still here")).outcome, SendOutcome::kSent);
    EXPECT_EQ(collect(client, 4).size(), 4U);
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(UdpSocket, WithoutTheWishTheKernelChooses) {
  UdpSocket server = open();
  UdpSocket client = open({.port = 0, .address = kLoopback4, .receive_buffer = 1 << 20});
  ASSERT_EQ(client.send({*IpAddress::parse("127.0.0.2"), server.port()}, as_bytes("x")).outcome,
            SendOutcome::kSent);
  ASSERT_EQ(collect(server, 1).size(), 1U);
  ASSERT_EQ(server.send({kLoopback4, client.port()}, as_bytes("y")).outcome, SendOutcome::kSent);
  const auto answer = collect(client, 1);
  ASSERT_EQ(answer.size(), 1U);
  EXPECT_EQ(answer[0].first.address, kLoopback4);
}

TEST(UdpSocket, MovesWithItsPort) {
  UdpSocket a = open();
  const std::uint16_t port = a.port();
  UdpSocket b(std::move(a));
  EXPECT_EQ(b.port(), port);
  UdpSocket c = open();
  c = std::move(b);
  EXPECT_EQ(c.port(), port);
  EXPECT_GE(c.fd(), 0);
}

}  // namespace
}  // namespace hearthcast::linux
