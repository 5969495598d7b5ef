// A TUN interface for real, in a network of its own: made, set up, used and gone.
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <cstring>

#include "tests/unit/linux/test_links.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/netd_client.hpp"
#include "tunnelmgr/linux/tun_device.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::linux {
namespace {

constexpr const char* kName = "hearthcast0";

struct Made {
  NetdClient netd;
  OpenedTun opened;
  TunDevice device{Fd()};
  Made() {
    auto made = netd.open_tun(1280);
    EXPECT_TRUE(made) << made.error().text;
    opened.index = made->index;
    device = TunDevice(std::move(made->fd));
  }
  void address(const char* text, unsigned length) {
    const auto added = netd.add_tun_address(device.fd(), linux::address(text), length);
    EXPECT_TRUE(added) << added.error().text;
  }
  void route(const char* text) {
    const auto added = netd.add_tun_route(device.fd(), Prefix::parse(text).value());
    EXPECT_TRUE(added) << added.error().text;
  }
};

std::optional<Interface> shown() {
  const auto all = list_interfaces();
  for (const auto& one : all.value()) {
    if (one.name == kName) {
      return one;
    }
  }
  return std::nullopt;
}

// A program that joins a group, naming no interface, as most do.
Fd joined(const char* group, std::uint16_t port, const char* source = nullptr) {
  const IpAddress to = address(group);
  const bool ip4 = to.is_ip4();
  Fd fd(::socket(ip4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto fill = [](sockaddr_storage& out, const IpAddress& from, std::uint16_t number) {
    if (from.is_ip4()) {
      auto& in = reinterpret_cast<sockaddr_in&>(out);
      in.sin_family = AF_INET;
      in.sin_port = htons(number);
      std::memcpy(&in.sin_addr, from.bytes().data(), 4);
    } else {
      auto& in = reinterpret_cast<sockaddr_in6&>(out);
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(number);
      std::memcpy(&in.sin6_addr, from.bytes().data(), 16);
    }
  };
  sockaddr_storage here{};
  fill(here, to, port);
  EXPECT_EQ(
      ::bind(fd.get(), reinterpret_cast<sockaddr*>(&here), ip4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)),
      0);
  const int level = ip4 ? IPPROTO_IP : IPPROTO_IPV6;
  int result = 0;
  if (source != nullptr) {
    group_source_req request{};
    fill(request.gsr_group, to, 0);
    fill(request.gsr_source, address(source), 0);
    result = ::setsockopt(fd.get(), level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request);
  } else {
    group_req request{};
    fill(request.gr_group, to, 0);
    result = ::setsockopt(fd.get(), level, MCAST_JOIN_GROUP, &request, sizeof request);
  }
  EXPECT_EQ(result, 0) << group << ": " << std::strerror(errno);
  return fd;
}

std::string received(const Fd& socket) {
  std::array<char, 65536> room{};
  if (!readable(socket.get())) {
    return "nothing";
  }
  const ssize_t got = ::recv(socket.get(), room.data(), room.size(), 0);
  return got < 0 ? "error" : std::string(room.data(), static_cast<std::size_t>(got));
}

// The next report of the kernel that names the group; empty when none comes.
std::string report_of(const TunDevice& device, const char* group) {
  Buffer room(65536);
  while (readable(device.fd())) {
    const auto packet = wire::decode_membership_packet(device.read(room));
    const auto* report = packet ? std::get_if<wire::MembershipReport>(&packet->message) : nullptr;
    for (const auto& record : report != nullptr ? report->records : std::vector<wire::GroupRecord>()) {
      if (record.group == address(group)) {
        std::string text =
            std::to_string(static_cast<int>(record.type)) + " from " + packet->source.to_string();
        for (const auto& source : record.sources) {
          text += " " + source.to_string();
        }
        return text;
      }
    }
  }
  return {};
}

TEST(Tun, IsUpAndHasNothingThatNobodyGaveIt) {
  in_links([] {
    const Made tun;
    const auto interface = shown();
    ASSERT_TRUE(interface);
    EXPECT_EQ(interface->index, tun.opened.index);
    EXPECT_EQ(tun.device.name(), kName);
    EXPECT_TRUE(interface->up);
    EXPECT_TRUE(interface->multicast);
    EXPECT_EQ(interface->mtu, 1280U);
    EXPECT_TRUE(interface->addresses.empty()) << "the kernel invented a link-local address";
  });
}

TEST(Tun, AddressesComeAndGo) {
  in_links([] {
    Made tun;
    tun.address("fe80::1:7", 64);
    tun.address("fd01:2:3:4::2", 64);
    tun.address("10.203.0.5", 32);
    tun.address("10.203.0.5", 32);  // there already
    const auto interface = shown();
    ASSERT_TRUE(interface);
    EXPECT_EQ(interface->link_local(), address("fe80::1:7"));
    EXPECT_EQ(interface->ip4(), address("10.203.0.5"));
    EXPECT_EQ(interface->addresses.size(), 3U);
    for (const auto& one : interface->addresses) {
      EXPECT_FALSE(one.tentative) << one.address.to_string();
    }
    EXPECT_TRUE(tun.netd.remove_tun_address(tun.device.fd(), address("fd01:2:3:4::2"), 64));
    EXPECT_EQ(shown()->addresses.size(), 2U);
  });
}

TEST(Tun, AnAddressBringsNoRouteToMoreThanANetworkOfAHome) {
  in_links([] {
    Made tun;
    const auto adds = [&](const char* text, unsigned length) {
      return static_cast<bool>(tun.netd.add_tun_address(tun.device.fd(), address(text), length));
    };
    EXPECT_TRUE(adds("10.203.0.5", 16));
    EXPECT_TRUE(adds("169.254.7.7", 16));
    EXPECT_FALSE(adds("172.16.0.1", 1)) << "half of all addresses";
    EXPECT_FALSE(adds("10.203.0.6", 15));
    EXPECT_FALSE(adds("fd00::5", 63));
    EXPECT_FALSE(adds("fe80::5", 10));
    EXPECT_FALSE(adds("8.8.8.8", 32));
    EXPECT_EQ(shown()->addresses.size(), 2U);
  });
}

TEST(Tun, VanishesWithTheLastDescriptorOfIt) {
  in_links([] {
    std::optional<Made> tun(std::in_place);
    tun->address("10.203.0.5", 32);
    tun->route("232.0.0.0/8");
    Fd other = tun->device.duplicate();
    tun.reset();
    EXPECT_TRUE(shown());
    other.close();
    EXPECT_TRUE(eventually([] { return !shown(); }));
    EXPECT_EQ(output_of("ip route show"), "");
  });
}

TEST(Tun, RoutesLeadToPrivateHostsAndNetworksOfAHomeOnly) {
  in_links([] {
    Made tun;
    const auto adds = [&](const char* text) {
      return static_cast<bool>(tun.netd.add_tun_route(tun.device.fd(), Prefix::parse(text).value()));
    };
    for (const char* good : {"192.168.1.50", "192.168.1.0/24", "10.20.0.0/16", "fd00::5", "fd00::/64"}) {
      EXPECT_TRUE(adds(good)) << good;
    }
    for (const char* bad : {"0.0.0.0/0", "8.8.8.8", "10.0.0.0/8", "192.168.0.0/15", "127.0.0.1",
                            "169.254.1.1", "::/0", "fd00::/48", "2001:db8::1", "fe80::1"}) {
      EXPECT_FALSE(adds(bad)) << bad;
    }
  });
}

TEST(Tun, ASecondOneHasTheNextName) {
  in_links([] {
    const Made one;
    const Made two;
    EXPECT_EQ(two.device.name(), "hearthcast1");
  });
}

TEST(Tun, GroupsAreFoundByRoutesAndTheRestStaysWhereItWas) {
  in_links([] {
    add_cable("lan0", "far0");
    run_ip("address add 192.168.7.20/24 dev lan0");
    run_ip("route add default via 192.168.7.1 dev lan0");
    Made tun;
    tun.address("fe80::1:7", 64);
    tun.address("10.203.0.5", 32);
    tun.route("232.0.0.0/8");
    tun.route("239.10.10.2");
    tun.route("ff3e::/16");
    tun.route("ff3e::/16");  // there already
    tun.route("ff1e::/16");
    const auto way = [](const std::string& group) {
      const std::string text = output_of("ip route get " + group);
      return text.find("dev hearthcast0") != std::string::npos ? "tunnel" : "lan";
    };
    EXPECT_EQ(way("232.1.1.1"), std::string("tunnel"));
    EXPECT_EQ(way("239.10.10.2"), std::string("tunnel"));
    EXPECT_EQ(way("239.10.10.3"), std::string("lan"));
    EXPECT_EQ(way("224.0.0.251"), std::string("lan"));
    EXPECT_EQ(way("239.255.255.250"), std::string("lan"));
    EXPECT_EQ(way("ff3e::8000:1"), std::string("tunnel"));
    EXPECT_EQ(way("ff1e::1"), std::string("tunnel"));
    EXPECT_EQ(way("198.51.100.1"), std::string("lan"));
    EXPECT_TRUE(tun.netd.remove_tun_route(tun.device.fd(), Prefix::parse("239.10.10.2").value()));
    EXPECT_EQ(way("239.10.10.2"), std::string("lan"));
  });
}

// A program on another interface that joins a group of those ranges still hears it there.
TEST(Tun, WhoNamesAnotherInterfaceHearsThatOne) {
  in_links([] {
    add_cable("lan0", "far0");
    Made tun;
    tun.address("fe80::1:7", 64);
    tun.route("ff1e::/16");
    const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 here{};
    here.sin6_family = AF_INET6;
    here.sin6_port = htons(5500);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, address("ff1e::7").bytes().data(), 16);
    request.ipv6mr_interface = index_of("lan0");
    ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof request), 0);
    const Capture far("far0");
    Buffer frame = from_hex(
                       "333300000007020000000002"
                       "86dd")
                       .value();
    const Buffer packet = channel_packet({address("2001:db8::1"), address("ff1e::7")}, "from the lan");
    frame.insert(frame.end(), packet.begin(), packet.end());
    far.send(frame);
    EXPECT_EQ(received(socket), "from the lan");
  });
}

TEST(Tun, TheKernelReportsAndGetsWhatIsWritten) {
  in_links([] {
    Made tun;
    tun.address("fe80::1:7", 64);
    tun.address("10.203.0.5", 32);
    tun.route("232.0.0.0/8");
    tun.route("ff3e::/16");
    write_file("/proc/sys/net/ipv4/conf/hearthcast0/rp_filter", "0");
    const Fd six = joined("ff3e::8000:1", 5500, "2001:db8::1");
    const Fd four = joined("232.1.1.1", 5500, "192.0.2.10");
    EXPECT_THAT(report_of(tun.device, "232.1.1.1"), testing::EndsWith("from 10.203.0.5 192.0.2.10"));
    EXPECT_EQ(
        tun.device.write_packet(channel_packet({address("2001:db8::1"), address("ff3e::8000:1")}, "six")),
        TunWrite::kDone);
    EXPECT_EQ(tun.device.write_packet(channel_packet({address("192.0.2.10"), address("232.1.1.1")}, "four")),
              TunWrite::kDone);
    EXPECT_EQ(received(six), "six");
    EXPECT_EQ(received(four), "four");
    // Larger than the interface's MTU, which is about the other direction.
    const std::string large(1472, 'x');
    EXPECT_EQ(
        tun.device.write_packet(channel_packet({address("2001:db8::1"), address("ff3e::8000:1")}, large)),
        TunWrite::kDone);
    EXPECT_EQ(received(six), large);
  });
}

TEST(Tun, TheKernelAnswersAQueryFromTheLinkLocalAddress) {
  in_links([] {
    Made tun;
    tun.address("fe80::1:7", 64);
    tun.route("ff3e::/16");
    const Fd six = joined("ff3e::8000:1", 5500, "2001:db8::1");
    EXPECT_THAT(report_of(tun.device, "ff3e::8000:1"), testing::EndsWith("from fe80::1:7 2001:db8::1"));
    wire::MembershipQuery query;
    query.max_response = std::chrono::milliseconds(100);
    query.group = IpAddress::any(Family::kIp6);
    query.robustness = 2;
    query.query_interval = std::chrono::seconds(10);
    const Buffer packet = wire::encode_membership_packet({address("fe80::1"), wire::kAllNodes6, query});
    const auto answered = [&] {
      EXPECT_EQ(tun.device.write_packet(packet), TunWrite::kDone);
      return report_of(tun.device, "ff3e::8000:1")
          .starts_with("1 from");  // after the repetitions of the join
    };
    EXPECT_TRUE(eventually(answered));
  });
}

TEST(Tun, ADownInterfaceDropsWhatIsWritten) {
  in_links([] {
    const Made tun;
    run_ip("link set hearthcast0 down");
    EXPECT_EQ(tun.device.write_packet(channel_packet({address("192.0.2.10"), address("232.1.1.1")}, "x")),
              TunWrite::kDropped);
    EXPECT_EQ(tun.device.write({}), TunWrite::kRefused) << "no frame at all";
  });
}

TEST(Tun, WhatHappensToWaitIsReadWithoutWaiting) {
  in_links([] {
    const Made tun;
    Buffer room(65536);
    while (!tun.device.read(room).empty()) {
    }
    EXPECT_TRUE(tun.device.read(room).empty());
    (void)tun.device.takes_segments();
    EXPECT_TRUE(TunDevice(Fd()).read(room).empty());
    EXPECT_EQ(TunDevice(Fd()).name(), "");
    EXPECT_FALSE(TunDevice(Fd()).takes_segments());
  });
}

}  // namespace
}  // namespace hearthcast::linux
