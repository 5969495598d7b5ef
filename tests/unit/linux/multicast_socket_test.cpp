#include "tunnelmgr/linux/multicast_socket.hpp"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/linux/socket_address.hpp"
#include "tunnelmgr/linux/socket_option.hpp"

namespace hearthcast::linux {
namespace {

constexpr std::uint16_t kPort = 5500;
constexpr const char* kPortName = "port0";

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

unsigned port_index() { return ::if_nametoindex(kPortName); }

void make_port() {
  nl_sock* const socket = nl_socket_alloc();
  ASSERT_EQ(nl_connect(socket, NETLINK_ROUTE), 0);
  ASSERT_EQ(rtnl_link_veth_add(socket, kPortName, "port1", ::gettid()), 0);
  const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const char* name : {kPortName, "port1"}) {
    ifreq request{};
    std::string_view(name).copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_flags = IFF_UP | IFF_MULTICAST;
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFFLAGS, &request), 0);
  }
  for (const char* text : {"192.0.2.1/24", "2001:db8::1/64"}) {
    rtnl_addr* const entry = rtnl_addr_alloc();
    nl_addr* local = nullptr;
    ASSERT_EQ(nl_addr_parse(text, AF_UNSPEC, &local), 0);
    rtnl_addr_set_ifindex(entry, static_cast<int>(port_index()));
    rtnl_addr_set_local(entry, local);
    rtnl_addr_set_flags(entry, IFA_F_NODAD);
    ASSERT_EQ(rtnl_addr_add(socket, entry, 0), 0);
    nl_addr_put(local);
    rtnl_addr_put(entry);
  }
  nl_socket_free(socket);
}

// A provider on that port.
class Provider {
 public:
  explicit Provider(const IpAddress& source) : family_(source.is_ip6() ? AF_INET6 : AF_INET) {
    fd_ = Fd(::socket(family_, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const SocketAddress here = to_socket_address({source, 0}, family_);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&here.storage), here.size), 0);
    if (family_ == AF_INET6) {
      EXPECT_TRUE(set_option(fd_.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(port_index())));
      EXPECT_TRUE(set_option(fd_.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 5));
      EXPECT_TRUE(set_option(fd_.get(), IPPROTO_IPV6, IPV6_TCLASS, 0x88));
    } else {
      ip_mreqn request{};
      request.imr_ifindex = static_cast<int>(port_index());
      EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request), 0);
      EXPECT_TRUE(set_option(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, 5));
      EXPECT_TRUE(set_option(fd_.get(), IPPROTO_IP, IP_TOS, 0x88));
    }
  }
  void send(const IpAddress& group, std::uint16_t port, std::string_view text) const {
    const SocketAddress to = to_socket_address({group, port}, family_);
    EXPECT_EQ(::sendto(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to.storage),
                       to.size),
              static_cast<ssize_t>(text.size()));
  }

 private:
  int family_;
  Fd fd_;
};

void wait_for_data(const MulticastSocket& socket) {
  pollfd ready{socket.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 10'000), 1);
}

std::vector<std::string> heard(MulticastSocket& socket) {
  ReceiveBatch batch(4);
  std::vector<std::string> all;
  for (auto got = socket.receive(batch); !got.datagrams.empty(); got = socket.receive(batch)) {
    for (const Datagram& d : got.datagrams) {
      all.emplace_back(as_text(d.payload));
    }
  }
  return all;
}

MulticastSocket join(const FlowKey& flow) {
  auto socket =
      MulticastSocket::join({.flow = flow, .interface_index = port_index(), .receive_buffer = 65536});
  EXPECT_TRUE(socket) << socket.error().text;
  return std::move(*socket);
}

// A namespace with one Ethernet port (half of a veth pair), which hears what it sends.
void in_network(const std::function<void()>& body) {
  const bool permitted = in_private_network(65536, [&] {
    make_port();
    body();
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

struct Case {
  IpAddress source;
  IpAddress other_source;
  IpAddress group;
  IpAddress other_group;
};

const Case kIp4{address("192.0.2.1"), address("192.0.2.9"), address("232.1.1.1"), address("232.1.1.2")};
const Case kIp6{address("2001:db8::1"), address("2001:db8::9"), address("ff3e::1"), address("ff3e::2")};

TEST(MulticastSocket, HearsItsGroupAndPortOnly) {
  in_network([] {
    for (const Case& c : {kIp4, kIp6}) {
      MulticastSocket mine = join({std::nullopt, c.group, kPort});
      MulticastSocket neighbour = join({std::nullopt, c.other_group, kPort});
      const Provider provider(c.source);
      provider.send(c.group, kPort, "mine");
      provider.send(c.other_group, kPort, "neighbour's");
      provider.send(c.group, kPort + 1, "other port");
      wait_for_data(mine);
      wait_for_data(neighbour);
      EXPECT_THAT(heard(mine), testing::ElementsAre("mine"));
      EXPECT_THAT(heard(neighbour), testing::ElementsAre("neighbour's"));
    }
  });
}

TEST(MulticastSocket, HearsItsSourceOnly) {
  in_network([] {
    for (const Case& c : {kIp4, kIp6}) {
      MulticastSocket from_it = join({c.source, c.group, kPort});
      MulticastSocket from_other = join({c.other_source, c.group, kPort});
      MulticastSocket from_any = join({std::nullopt, c.group, kPort});
      Provider(c.source).send(c.group, kPort, "x");
      wait_for_data(from_it);
      wait_for_data(from_any);
      EXPECT_THAT(heard(from_it), testing::ElementsAre("x"));
      EXPECT_THAT(heard(from_other), testing::IsEmpty());
      EXPECT_THAT(heard(from_any), testing::ElementsAre("x"));
    }
  });
}

TEST(MulticastSocket, TellsSourceHopLimitAndTrafficClass) {
  in_network([] {
    for (const Case& c : {kIp4, kIp6}) {
      MulticastSocket socket = join({c.source, c.group, kPort});
      Provider(c.source).send(c.group, kPort, "x");
      wait_for_data(socket);
      ReceiveBatch batch;
      const auto got = socket.receive(batch);
      ASSERT_EQ(got.datagrams.size(), 1U);
      EXPECT_EQ(got.datagrams[0].source.address, c.source);
      EXPECT_EQ(got.datagrams[0].hop_limit, 5);
      EXPECT_EQ(got.datagrams[0].traffic_class, 0x88);
    }
  });
}

TEST(MulticastSocket, RejoinsAndCountsWhatItHadNoRoomFor) {
  in_network([] {
    for (const Case& c : {kIp4, kIp6}) {
      MulticastSocket socket = join({c.source, c.group, kPort});
      ASSERT_TRUE(socket.rejoin());
      const Provider provider(c.source);
      for (int i = 0; i < 1000; ++i) {
        provider.send(c.group, kPort, std::string(1316, 'x'));
      }
      ReceiveBatch batch;
      std::uint32_t lost = 0;
      std::size_t came = 0;
      for (auto got = socket.receive(batch); !got.datagrams.empty(); got = socket.receive(batch)) {
        came += got.datagrams.size();
      }
      provider.send(c.group, kPort, "tells");  // the count travels with the next datagram that has room
      wait_for_data(socket);
      ASSERT_EQ(socket.receive(batch).datagrams.size(), 1U);
      lost = batch.overflow().value_or(0);
      EXPECT_EQ(came + lost, 1000U);
      EXPECT_GT(lost, 0U);
    }
  });
}

TEST(MulticastSocket, SaysWhyItCannotJoin) {
  const auto text = [](const MulticastOptions& options) {
    const auto socket = MulticastSocket::join(options);
    EXPECT_FALSE(socket);
    return socket ? std::string() : socket.error().text;
  };
  const FlowKey flow{std::nullopt, kIp4.group, kPort};
  EXPECT_THAT(text({.flow = flow, .interface_index = 0}), testing::HasSubstr("an interface"));
  EXPECT_THAT(text({.flow = flow, .interface_index = 999'999}), testing::HasSubstr("interface is gone"));
  EXPECT_THAT(text({.flow = {kIp6.source, kIp4.group, kPort}, .interface_index = 1}),
              testing::HasSubstr("same family"));
  EXPECT_THAT(text({.flow = {std::nullopt, kIp4.source, kPort}, .interface_index = 1}),
              testing::HasSubstr("multicast group"));
}

}  // namespace
}  // namespace hearthcast::linux
