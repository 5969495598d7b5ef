// One connection as the relay carries it, between real sockets on the loopback.
#include "appliance/forward/home_link.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::forward {
namespace {

constexpr std::uint64_t kToken = 100;

struct Listener {
  Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd.get(), 4), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  }
  linux::Fd connect(int flags = 0) {
    linux::Fd made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    (void)::connect(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    return made;
  }
  linux::Fd accept(int flags = 0) {
    return linux::Fd(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC | flags));
  }
  linux::Fd fd;
  sockaddr_in address{};
};

// A device and a host, and the link between them.
struct World {
  World() {
    device = at_device.connect();
    auto taken = at_device.accept(SOCK_NONBLOCK);
    link.emplace(epoll, kToken, std::move(taken), at_host.connect(SOCK_NONBLOCK));
    EXPECT_TRUE(link->start());
    host = at_host.accept();
  }
  // Until it is so, or the link is over.
  void run(const std::function<bool()>& done) {
    const Time end = Clock::now() + std::chrono::seconds{20};
    while (link && !done() && Clock::now() < end) {
      for (const auto& event : epoll.wait(Clock::now() + std::chrono::milliseconds{50})) {
        if (link && !link->on_event(event)) {
          link.reset();
        }
      }
    }
  }
  // All that comes there until count octets, the end, or an error (nullopt).
  std::optional<std::string> read(const linux::Fd& fd, std::size_t count) {
    std::string all;
    std::string room(65536, '\0');
    bool over = false;
    bool broken = false;
    const auto take = [&] {
      while (all.size() < count && !over) {
        pollfd ready{fd.get(), POLLIN, 0};
        if (::poll(&ready, 1, link ? 0 : 20'000) != 1) {
          return false;
        }
        const auto got = ::recv(fd.get(), room.data(), room.size(), MSG_DONTWAIT);
        broken = got < 0;
        over = got <= 0;
        all.append(room, 0, got > 0 ? static_cast<std::size_t>(got) : 0);
      }
      return true;
    };
    run(take);
    (void)take();
    return broken ? std::nullopt : std::optional(all);
  }
  linux::Epoll epoll;
  Listener at_device;
  Listener at_host;
  linux::Fd device;
  linux::Fd host;
  std::optional<HomeLink> link;
};

void say(const linux::Fd& fd, const std::string& text) {
  ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

TEST(HomeLink, CarriesBothWays) {
  World world;
  say(world.device, "hello");
  EXPECT_EQ(world.read(world.host, 5), "hello");
  say(world.host, "there");
  EXPECT_EQ(world.read(world.device, 5), "there");
  EXPECT_TRUE(world.link);
}

TEST(HomeLink, WhoHasSaidAllMayStillListen) {
  World world;
  say(world.device, "that is all");
  ::shutdown(world.device.get(), SHUT_WR);
  EXPECT_EQ(world.read(world.host, 100), "that is all") << "and its end";
  EXPECT_TRUE(world.link);
  say(world.host, "good, and this is all, too");
  world.host.close();
  EXPECT_EQ(world.read(world.device, 100), "good, and this is all, too");
  world.run([] { return false; });
  EXPECT_FALSE(world.link) << "both have said all";
}

TEST(HomeLink, ASlowReaderHoldsTheOtherBackAndLosesNothing) {
  World world;
  std::string much;
  much.resize(48'000'000);  // far more than all the kernel's buffers on the way
  for (std::size_t i = 0; i < much.size(); ++i) {
    much[i] = static_cast<char>(i * 7 % 251);
  }
  std::size_t said = 0;
  const auto say_more = [&] {
    const auto wrote =
        ::send(world.device.get(), much.data() + said, much.size() - said, MSG_NOSIGNAL | MSG_DONTWAIT);
    said += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
    return wrote;
  };
  // The reader sleeps: what goes in comes to an end long before the text does.
  int stuck = 0;
  world.run([&] {
    stuck = said < much.size() && say_more() < 0 ? stuck + 1 : 0;
    return stuck > 20 || said == much.size();
  });
  EXPECT_LT(said, much.size());
  std::string got;
  std::string room(65536, '\0');
  world.run([&] {
    (void)say_more();
    for (;;) {
      const auto more = ::recv(world.host.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (more <= 0) {
        break;
      }
      got.append(room, 0, static_cast<std::size_t>(more));
    }
    return got.size() == much.size();
  });
  EXPECT_EQ(got.size(), much.size());
  EXPECT_TRUE(got == much);
}

TEST(HomeLink, WhereTheHostRefusesTheDeviceIsCutOff) {
  World world;
  linux::Epoll epoll;
  Listener nobody;
  nobody.fd.close();
  Listener here;
  const linux::Fd device = here.connect();
  std::optional<HomeLink> link(std::in_place, epoll, kToken, here.accept(SOCK_NONBLOCK),
                               nobody.connect(SOCK_NONBLOCK));
  ASSERT_TRUE(link->start());
  for (const Time end = Clock::now() + std::chrono::seconds{20}; link && Clock::now() < end;) {
    for (const auto& event : epoll.wait(end)) {
      if (link && !link->on_event(event)) {
        link.reset();
      }
    }
  }
  ASSERT_FALSE(link);
  char octet = 0;
  EXPECT_EQ(::recv(device.get(), &octet, 1, 0), -1) << "a reset, not an end";
}

TEST(HomeLink, AnEndByForceIsAnEndByForceForTheOther) {
  World world;
  say(world.host, "x");
  ASSERT_EQ(world.read(world.device, 1), "x");
  const linger at_once{1, 0};
  ::setsockopt(world.host.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  world.host.close();
  EXPECT_EQ(world.read(world.device, 100), std::nullopt);
  EXPECT_FALSE(world.link);
}

TEST(HomeLink, WhoIsResetLearnsThatItWasCutOff) {
  World world;
  world.link->reset();
  world.link.reset();
  EXPECT_EQ(world.read(world.device, 1), std::nullopt);
}

}  // namespace
}  // namespace hearthcast::forward
