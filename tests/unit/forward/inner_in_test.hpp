// For tests of the box's end inside the tunnels with a TUN interface for real: what surrounds it.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::forward {

inline sockaddr_in6 at_port(const IpAddress& ip6, std::uint16_t port) {
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(port);
  std::memcpy(&out.sin6_addr, ip6.bytes().data(), 16);
  return out;
}

// A TCP service on all addresses of both families.
inline linux::Fd listening(std::uint16_t port) {
  linux::Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto here = at_port(IpAddress::any(Family::kIp6), port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  EXPECT_EQ(::listen(fd.get(), 8), 0);
  return fd;
}

// The kernel adds the route by which it knows an IPv6 address as its own some time after the address: until a
// datagram to it arrives here.
inline void wait_until_own(const IpAddress& ip6) {
  const linux::Fd receiver(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const linux::Fd sender(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto here = at_port(IpAddress::any(Family::kIp6), 9);
  const auto there = at_port(ip6, 9);
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
  for (const Time end = Clock::now() + std::chrono::seconds{20}; Clock::now() < end;) {
    (void)::sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&there), sizeof there);
    pollfd ready{receiver.get(), POLLIN, 0};
    if (::poll(&ready, 1, 20) == 1) {
      return;
    }
  }
  FAIL() << ip6.to_string() << " does not become an address of this machine";
}

}  // namespace hearthcast::forward
