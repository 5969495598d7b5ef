#include "tunnelmgr/linux/multicast_sender.hpp"

#include <gtest/gtest.h>
#include <net/route.h>
#include <poll.h>

#include <ctime>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/linux/group_watch.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::linux {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const Endpoint kGroup{ip("239.1.1.1"), 5000};
constexpr unsigned kLoopback = 1;

bool readable(int fd, int ms = 10'000) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, ms) == 1;
}

SenderOptions options() {
  SenderOptions out;
  out.group = kGroup;
  out.interface_index = kLoopback;
  out.hop_limit = 7;
  out.source = ip("127.0.0.1");
  return out;
}

// A loopback alone has no way for IPv6 multicast.
void route_ip6_multicast_to_loopback() {
  constexpr std::uint32_t kLocal = 0x80000000;  // RTF_LOCAL: others through a loopback refuse
  const Fd control(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  in6_rtmsg route{};
  route.rtmsg_dst.s6_addr[0] = 0xFF;
  route.rtmsg_dst_len = 8;
  route.rtmsg_ifindex = kLoopback;
  route.rtmsg_flags = RTF_UP | kLocal;
  route.rtmsg_metric = 1;
  ASSERT_EQ(::ioctl(control.get(), SIOCADDRT, &route), 0);
}

void expect_permitted(bool permitted) {
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(MulticastSender, SendsAllOfASlabWithItsHopLimitAndTheKernelNotesTheTime) {
  expect_permitted(in_private_network(65536, [] {
    MulticastOptions wanted;
    wanted.flow = {std::nullopt, kGroup.address, kGroup.port};
    wanted.interface_index = kLoopback;
    wanted.timestamps = true;
    auto receiver = MulticastSocket::join(wanted).value();
    auto sender = MulticastSender::open(options()).value();
    EXPECT_EQ(sender.own_endpoint().address, ip("127.0.0.1"));
    Buffer slab(20'000);
    for (std::size_t i = 0; i < 200; ++i) {
      slab[i * 100] = static_cast<std::uint8_t>(i);
    }
    const std::int64_t before = std::int64_t{std::time(nullptr)} * 1'000'000'000;
    ASSERT_EQ(sender.send(slab, 100, 200), 200U);
    ReceiveBatch batch;
    std::size_t count = 0;
    while (count < 200 && readable(receiver.fd())) {
      for (const auto& datagram : receiver.receive(batch).datagrams) {
        ASSERT_EQ(datagram.payload.size(), 100U);
        EXPECT_EQ(datagram.payload[0], static_cast<std::uint8_t>(count));
        EXPECT_EQ(datagram.hop_limit, 7);
        EXPECT_GE(datagram.arrived_ns, before);
        ++count;
      }
    }
    EXPECT_EQ(count, 200U);
    EXPECT_EQ(sender.last_error(), 0);
  }));
}

TEST(MulticastSender, RefusesWithWordsWhatCannotWork) {
  auto wrong = options();
  wrong.interface_index = 0;
  EXPECT_FALSE(MulticastSender::open(wrong));
  wrong = options();
  wrong.group.address = ip("192.0.2.1");
  EXPECT_FALSE(MulticastSender::open(wrong));
  wrong = options();
  wrong.source = ip("192.0.2.77");
  const auto foreign = MulticastSender::open(wrong);
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().text.find("address of that interface"), std::string::npos)
      << foreign.error().text;
  wrong = options();
  wrong.interface_index = 4'000'000;
  EXPECT_FALSE(MulticastSender::open(wrong));
}

TEST(GroupWatch, SeesItsGroupWithoutBeingAMember) {
  expect_permitted(in_private_network(65536, [] {
    auto watch = GroupWatch::open(kLoopback, kGroup.address).value();
    EXPECT_FALSE(watch.last_arrival());
    auto sender = MulticastSender::open(options()).value();
    auto other = options();
    other.group.address = ip("239.1.1.2");
    auto other_sender = MulticastSender::open(other).value();
    ASSERT_EQ(other_sender.send(Buffer(10), 10, 1), 1U);
    ASSERT_EQ(sender.send(Buffer(10), 10, 1), 1U);
    ASSERT_TRUE(readable(watch.fd()));
    const auto last = watch.last_arrival();
    ASSERT_TRUE(last);
    EXPECT_GT(*last, 1'500'000'000'000'000'000);
    ASSERT_EQ(other_sender.send(Buffer(10), 10, 1), 1U);
    ASSERT_EQ(sender.send(Buffer(10), 10, 1), 1U);
    ASSERT_TRUE(readable(watch.fd()));
    EXPECT_GT(watch.last_arrival(), last);
    EXPECT_FALSE(watch.last_arrival()) << "nothing of the other group";
  }));
}

TEST(GroupWatch, SeesIPv6AndNotWhatHasAnotherEnd) {
  expect_permitted(in_private_network(65536, [] {
    route_ip6_multicast_to_loopback();
    auto watch = GroupWatch::open(kLoopback, ip("ff15::1:2")).value();
    SenderOptions out;
    out.interface_index = kLoopback;
    out.source = ip("::1");
    out.group = {ip("ff15::1:3"), 5000};
    auto other = MulticastSender::open(out).value();
    out.group = {ip("ff15::1:2"), 5000};
    auto sender = MulticastSender::open(out).value();
    ASSERT_EQ(other.send(Buffer(10), 10, 1), 1U);
    EXPECT_FALSE(readable(watch.fd(), 50));
    ASSERT_EQ(sender.send(Buffer(10), 10, 1), 1U);
    EXPECT_TRUE(readable(watch.fd()));
    EXPECT_TRUE(watch.last_arrival());
  }));
}

TEST(OwnAddress, IsThatOfTheRoute) {
  EXPECT_EQ(own_address_towards(ip("127.0.0.1")), ip("127.0.0.1"));
  expect_permitted(in_private_network(
      65536, [] { EXPECT_FALSE(own_address_towards(ip("192.0.2.1"))) << "there is no route at all"; }));
}

}  // namespace
}  // namespace hearthcast::linux
