// Virtual links for tests in a private network, and what is seen and sent on them.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/linux/interfaces.hpp"
#include "tunnelmgr/linux/link_socket.hpp"
#include "tunnelmgr/linux/socket_option.hpp"
#include "tunnelmgr/wire/udp_packet.hpp"

namespace hearthcast::linux {

inline constexpr std::chrono::seconds kPatience{20};  // for what must happen; a busy machine may need it

inline IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }

// Runs iproute2's ip, in this thread's network.
inline void run_ip(const std::string& arguments) {
  ASSERT_EQ(std::system(("ip " + arguments).c_str()), 0) << "ip " << arguments;
}

inline std::string output_of(const std::string& command) {
  std::string text;
  FILE* const pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> room{};
  for (std::size_t got = 0; (got = std::fread(room.data(), 1, room.size(), pipe)) > 0;) {
    text.append(room.data(), got);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  ASSERT_TRUE(file) << path;
}

inline unsigned index_of(const std::string& name) { return ::if_nametoindex(name.c_str()); }

// Until the condition holds; looks again and again.
inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    ::usleep(10'000);
  }
  return true;
}

inline bool has_carrier(const std::string& link) {
  for (const Interface& interface : list_interfaces().value()) {
    if (interface.name == link) {
      return interface.running;
    }
  }
  return false;
}

// Two ends of a cable, both up; what goes into one comes out of the other. A link is up a moment before its
// carrier, and what is sent in between is lost.
inline void add_cable(const std::string& one, const std::string& other) {
  run_ip("link add " + one + " type veth peer name " + other);
  for (const std::string& end : {one, other}) {
    write_file("/proc/sys/net/ipv4/conf/" + end + "/rp_filter", "0");
    write_file("/proc/sys/net/ipv6/conf/" + end + "/accept_dad", "0");
    run_ip("link set " + end + " up");
  }
  ASSERT_TRUE(eventually([&] { return has_carrier(one) && has_carrier(other); }));
}

// On one processor the kernel takes packets in the order they were sent, on whatever links.
inline void stay_on_this_processor() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
  ASSERT_EQ(::sched_setaffinity(0, sizeof here, &here), 0);
}

// The body runs in a private network without reverse path filter, as root does it; a test of an ordinary user
// says that it needs root.
inline void in_links(const std::function<void()>& body) {
  const bool permitted = in_private_network(65536, [&] {
    stay_on_this_processor();
    write_file("/proc/sys/net/ipv4/conf/all/rp_filter", "0");
    body();
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

inline bool readable(int fd, std::chrono::milliseconds patience = kPatience) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(patience.count())) == 1;
}

inline LinkSocket open_link(const std::string& name) {
  NetdClient netd;
  auto socket = LinkSocket::open(index_of(name), netd);
  EXPECT_TRUE(socket) << socket.error().text;
  return std::move(*socket);
}

// The next packet, waited for; empty when none comes.
inline Buffer next_packet(LinkSocket& socket) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (const auto packet = socket.receive()) {
      return {packet->begin(), packet->end()};
    }
    readable(socket.fd(), std::chrono::seconds(1));
  }
  return {};
}

// Every frame that comes in by an interface, with its Ethernet header.
class Capture {
 public:
  explicit Capture(const std::string& name)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))) {
    sockaddr_ll here{};
    here.sll_family = AF_PACKET;
    here.sll_protocol = htons(ETH_P_ALL);
    here.sll_ifindex = static_cast<int>(index_of(name));
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here), 0);
    constexpr int kIgnoreOutgoing = 23;
    EXPECT_TRUE(set_option(fd_.get(), SOL_PACKET, kIgnoreOutgoing, 1));
    EXPECT_TRUE(set_option(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20));
  }
  // A whole frame, out of that interface.
  void send(Bytes frame) const {
    EXPECT_EQ(::send(fd_.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  // The next that the reader is interested in; empty when none comes.
  [[nodiscard]] Buffer next(const std::function<bool(Bytes)>& wanted) const {
    while (readable(fd_.get())) {
      Buffer frame(65536);
      const ssize_t got = ::recv(fd_.get(), frame.data(), frame.size(), 0);
      frame.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
      if (wanted(frame)) {
        return frame;
      }
    }
    return {};
  }

 private:
  Fd fd_;
};

inline constexpr std::size_t kEthernetHeader = 14;

// A multicast datagram of a channel, as it is on the wire.
struct Channel {
  IpAddress source;
  IpAddress group;
  std::uint8_t hop_limit = 16;
};
inline Buffer channel_packet(const Channel& channel, const std::string& text) {
  Buffer packet(wire::inner_header_size(channel.group.family()));
  wire::write_udp_packet_header(packet,
                                {.source = {channel.source, 1234},
                                 .destination = {channel.group, 5500},
                                 .hop_limit = channel.hop_limit},
                                as_bytes(text));
  packet.insert(packet.end(), text.begin(), text.end());
  return packet;
}

// A captured channel datagram.
struct Seen {
  std::string text;
  int hop_limit = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
};
inline std::optional<Seen> as_channel(Bytes frame) {
  if (frame.size() < kEthernetHeader) {
    return std::nullopt;
  }
  const auto packet = wire::decode_udp_packet(frame.subspan(kEthernetHeader));
  if (!packet || packet->header.destination.port != 5500) {
    return std::nullopt;
  }
  return Seen{std::string(as_text(packet->payload)), packet->header.hop_limit};
}
inline Seen next_channel(const Capture& capture) {
  return as_channel(capture.next([](Bytes frame) { return as_channel(frame).has_value(); })).value_or(Seen{});
}

// A TUN or TAP device that this process is the other end of.
class TestTun {
 public:
  TestTun(const std::string& name, int flags) : fd_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_flags = static_cast<short>(flags);
    EXPECT_EQ(::ioctl(fd_.get(), TUNSETIFF, &request), 0);
    run_ip("link set " + name + " up");
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void write(Bytes packet) const {
    EXPECT_EQ(::write(fd_.get(), packet.data(), packet.size()), static_cast<ssize_t>(packet.size()));
  }
  [[nodiscard]] Buffer next(const std::function<bool(Bytes)>& wanted) const {
    while (readable(fd_.get())) {
      Buffer packet(65536);
      const ssize_t got = ::read(fd_.get(), packet.data(), packet.size());
      packet.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
      if (wanted(packet)) {
        return packet;
      }
    }
    return {};
  }

 private:
  Fd fd_;
};

}  // namespace hearthcast::linux
