// A data thread of the box in tests, and a provider that sends it a channel on a loopback of its own.
#pragma once

#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "appliance/forward/data_plane.hpp"
#include "tests/unit/datapath/plane_in_test.hpp"
#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"

namespace hearthcast::forward {

inline const FlowKey kFlow{std::nullopt, *IpAddress::parse("239.77.1.2"), 5004};

// Sends the channel's datagrams on the loopback.
class Provider {
 public:
  Provider() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    ip_mreqn interface {};
    interface.imr_ifindex = static_cast<int>(::if_nametoindex("lo"));
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface), 0);
    sockaddr_in from{};  // named, or the kernel leaves the source of a packet on a bare loopback empty
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&from), sizeof from), 0);
    set_hops(16);
  }
  void set_hops(int hops) {
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops), 0);
  }
  void set_traffic_class(int value) {
    EXPECT_EQ(::setsockopt(fd_.get(), IPPROTO_IP, IP_TOS, &value, sizeof value), 0);
  }
  void send(Bytes payload) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kFlow.port);
    std::copy_n(kFlow.group.bytes().begin(), 4, reinterpret_cast<std::uint8_t*>(&to.sin_addr));
    EXPECT_EQ(
        ::sendto(fd_.get(), payload.data(), payload.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
        static_cast<ssize_t>(payload.size()));
  }

 private:
  linux::Fd fd_;
};

// The plane with flow 1 and its viewers.
class Box : public datapath::PlaneInTest<DataPlane> {
 public:
  void carry(FlowKey key = kFlow) {
    linux::MulticastOptions options;
    options.flow = key;
    options.interface_index = ::if_nametoindex("lo");
    auto socket = linux::MulticastSocket::join(options);
    ASSERT_TRUE(socket) << socket.error().text;
    post(AddFlow{FlowId{1}, key, std::make_unique<linux::MulticastSocket>(std::move(*socket))});
  }
  void show(const std::vector<PeerId>& peers) {
    auto table = std::make_unique<ViewerTable>();
    for (const PeerId peer : peers) {
      table->rows.push_back({FlowId{1}, peer});
    }
    post(SetViewers{std::move(table)});
  }
};

inline Buffer numbered(int number) {
  Buffer payload(1316, static_cast<std::uint8_t>(number));
  payload[0] = 0x47;
  return payload;
}

inline void in_network(const std::function<void()>& body) {
  if (!linux::in_private_network(65536, body)) {
    GTEST_SKIP() << "needs root: a network namespace of its own";
  }
}

}  // namespace hearthcast::forward
