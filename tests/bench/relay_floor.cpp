// The least that a relay from multicast to HTTP can do, as the floor of `./hearth bench relay`: whoever
// connects is a player and gets an answer and the channel as it comes; what a player's socket does not take
// is lost for it. Without a request read, without a picture to begin at, without anybody asked whether he
// may.
//
// Usage: relay_floor GROUP:PORT INTERFACE TCP-PORT MS: players are written every MS milliseconds what came
// since, in one call each; with 0 each datagram is written alone when it comes.
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "tunnelmgr/linux/epoll.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"

namespace {

using namespace hearthcast;

constexpr std::uint64_t kDoor = 0;
constexpr std::uint64_t kChannel = 1;
constexpr std::uint64_t kPlayer = 2;
constexpr std::size_t kRoom = std::size_t{4} << 20;
constexpr std::size_t kLargestDatagram = 65536;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n";

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class Floor {
 public:
  Floor(linux::MulticastSocket channel, linux::Fd door, Duration gather)
      : channel_(std::move(channel)), door_(std::move(door)), gather_(gather), room_(kRoom) {}

  // Until the kernel refuses to watch something.
  void run() {
    const bool gathers = gather_ != Duration::zero();
    if (!epoll_.add(door_.get(), kDoor) || (!gathers && !epoll_.add(channel_.fd(), kChannel))) {
      return;
    }
    Time next = Clock::now() + gather_;
    for (;;) {
      for (const auto& event : epoll_.wait(gathers ? next : kNever)) {
        if (event.token == kDoor) {
          accept();
        } else if (event.token == kChannel) {
          pass_on();
        } else {
          hear(static_cast<int>(event.token - kPlayer));
        }
      }
      if (gathers && Clock::now() >= next) {
        pass_on();
        next = Clock::now() + gather_;
      }
    }
  }

 private:
  void accept() {
    linux::Fd player(::accept4(door_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (player && epoll_.add(player.get(), kPlayer + static_cast<std::uint64_t>(player.get()))) {
      (void)::send(player.get(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
      players_.push_back(std::move(player));
    }
  }

  // The request, which is of no interest, or the end.
  void hear(int player) {
    std::array<char, 4096> words;
    if (::recv(player, words.data(), words.size(), MSG_DONTWAIT) <= 0) {
      epoll_.remove(player);
      std::erase_if(players_, [player](const linux::Fd& fd) { return fd.get() == player; });
    }
  }

  void pass_on() {
    std::size_t size = 0;
    while (size + kLargestDatagram <= room_.size()) {
      const auto got = ::recv(channel_.fd(), room_.data() + size, kLargestDatagram, MSG_DONTWAIT);
      if (got <= 0) {
        break;
      }
      size += static_cast<std::size_t>(got);
    }
    for (const auto& player : players_) {
      (void)::send(player.get(), room_.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
  }

  linux::MulticastSocket channel_;
  linux::Fd door_;
  Duration gather_;
  std::vector<std::uint8_t> room_;
  std::vector<linux::Fd> players_;
  linux::Epoll epoll_;
};

linux::Fd listen_at(std::uint16_t port) {
  linux::Fd door(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  (void)::setsockopt(door.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(port);
  const bool listens = ::bind(door.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0 &&
                       ::listen(door.get(), 64) == 0;
  return listens ? std::move(door) : linux::Fd();
}

}  // namespace

int main(int count, char** words) {
  const auto target = count == 5 ? Endpoint::parse(words[1]) : std::nullopt;
  if (!target) {
    std::fputs("usage: relay_floor GROUP:PORT INTERFACE TCP-PORT MS\n", stderr);
    return 2;
  }
  linux::MulticastOptions options;
  options.flow = {std::nullopt, target->address, target->port};
  options.interface_index = ::if_nametoindex(words[2]);
  auto channel = linux::MulticastSocket::join(options);
  auto door = listen_at(number<std::uint16_t>(words[3]));
  if (!channel || !door) {
    std::fprintf(stderr, "relay_floor: %s\n", channel ? "cannot listen" : channel.error().text.c_str());
    return 1;
  }
  Floor(std::move(*channel), std::move(door), std::chrono::milliseconds(number<int>(words[4]))).run();
  return 1;
}
