// A network namespace for one test, with nothing but its own loopback: needs root, says so otherwise.
#pragma once

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <functional>
#include <string_view>
#include <thread>

#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

// Runs body in a thread that has a namespace of its own (it ends with the thread and its sockets). False: not
// permitted.
inline bool in_private_network(int loopback_mtu, const std::function<void()>& body) {
  bool permitted = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      return;
    }
    permitted = true;
    const Fd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::string_view("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_mtu = loopback_mtu;
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFMTU, &request), 0);
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST;
    ASSERT_EQ(::ioctl(control.get(), SIOCSIFFLAGS, &request), 0);
    body();
  }).join();
  return permitted;
}

}  // namespace hearthcast::linux
