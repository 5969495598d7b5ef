// Media into a TUN interface for real: what a program that joined there receives.
#include "tunnelmgr/away/tun_output.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "tests/unit/linux/private_network.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;
using membership::Subscription;
using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const IpAddress kGroup = ip("232.1.1.1");
const IpAddress kSource = ip("192.0.2.10");
const Subscription kFilm{kSource, kGroup};

// An interface, and a program that listens on it as far as its kernel is concerned.
class Laptop {
 public:
  Laptop() {
    auto opened = netd_.open_tun(1280);
    EXPECT_TRUE(opened) << opened.error().text;
    device_ = linux::TunDevice(std::move(opened->fd));
    EXPECT_TRUE(netd_.add_tun_address(device_.fd(), ip("10.203.0.5"), 32));
    EXPECT_TRUE(netd_.add_tun_route(device_.fd(), *Prefix::parse("232.0.0.0/8")));
    EXPECT_TRUE(netd_.write_setting(linux::MachineSetting::kReversePathFilter, 0, opened->index));
    EXPECT_TRUE(netd_.read_setting(linux::MachineSetting::kReversePathFilter));
    socket_ = linux::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(5004);
    std::memcpy(&here.sin_addr, kGroup.bytes().data(), 4);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
    ip_mreq_source request{};
    std::memcpy(&request.imr_multiaddr, kGroup.bytes().data(), 4);
    std::memcpy(&request.imr_sourceaddr, kSource.bytes().data(), 4);
    EXPECT_EQ(::setsockopt(socket_.get(), IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &request, sizeof request), 0);
    const int room = 8 << 20;
    EXPECT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room), 0);
  }
  [[nodiscard]] OpenTun descriptor() const { return {device_.duplicate()}; }

  // All that is there, each datagram by its first octet and its size.
  std::vector<std::string> received() {
    std::vector<std::string> got;
    std::array<std::uint8_t, 65536> room{};
    for (;;) {
      const ssize_t size = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (size < 0) {
        return got;
      }
      got.push_back(std::to_string(room[0]) + ":" + std::to_string(size));
    }
  }

 private:
  linux::NetdClient netd_;
  linux::TunDevice device_{linux::Fd()};
  linux::Fd socket_;
};

struct Fixture {
  Laptop laptop;
  TunOutput output;
  std::vector<std::string> signals;
  Time now = Time{} + 1h;

  Fixture() { output.open(laptop.descriptor()); }

  void listen(std::vector<Subscription> subscriptions) { output.listen({std::move(subscriptions)}); }
  bool media(std::uint32_t sequence, std::size_t size = 1316, const IpAddress& source = kSource,
             const IpAddress& group = kGroup, std::uint8_t hop_limit = 15, std::int64_t flow = 9) {
    const Buffer payload(size, static_cast<std::uint8_t>(sequence));
    tunnel::MediaFrame frame;
    frame.flow = FlowId{flow};
    frame.sequence = sequence;
    frame.header = {{source, 4000}, {group, 5004}, hop_limit, 0};
    frame.payload = payload;
    return output.on_media(frame, now, signal);
  }
  const TunOutput::Signal signal = [this](const Subscription& subscription, bool present) {
    signals.push_back((present ? "+" : "-") + subscription.to_string());
  };
};

// The body runs in a network of its own, as root does it.
void with_laptop(const std::function<void(Fixture&)>& body) {
  const bool permitted = linux::in_private_network(65536, [&] {
    Fixture fixture;
    body(fixture);
  });
  if (!permitted) {
    GTEST_SKIP() << "needs root for a network namespace";
  }
}

TEST(TunOutput, WhatTheKernelListensToArrivesInOneWrite) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    for (std::uint32_t n = 1; n <= 5; ++n) {
      EXPECT_TRUE(t.media(n));
    }
    EXPECT_THAT(t.laptop.received(), IsEmpty()) << "gathered until the turn ends";
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("1:1316", "2:1316", "3:1316", "4:1316", "5:1316"));
    EXPECT_EQ(t.output.counters().packets, 5U);
    EXPECT_EQ(t.output.counters().writes, t.output.counters().segments ? 1U : 5U);
    EXPECT_EQ(t.output.counters().dropped, 0U);
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), IsEmpty());
  });
}

TEST(TunOutput, DatagramsOfAnySizeArriveInOrder) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    std::uint32_t n = 0;
    for (const std::size_t size : {1316U, 1316U, 188U, 1316U, 1472U, 1U, 1472U}) {
      EXPECT_TRUE(t.media(++n, size));
    }
    t.output.flush();
    EXPECT_THAT(t.laptop.received(),
                ElementsAre("1:1316", "2:1316", "3:188", "4:1316", "5:1472", "6:1", "7:1472"));
    for (std::uint32_t more = 0; more < 200; ++more) {
      EXPECT_TRUE(t.media(++n));
    }
    t.output.flush();
    EXPECT_EQ(t.laptop.received().size(), 200U);
  });
}

TEST(TunOutput, NothingElseGoesThere) {
  with_laptop([](Fixture& t) {
    EXPECT_FALSE(t.media(1)) << "nobody listens yet";
    t.listen({kFilm});
    EXPECT_FALSE(t.media(1, 100, kSource, ip("232.1.1.2"), 15, 10));
    EXPECT_FALSE(t.media(1, 100, ip("192.0.2.99"), kGroup, 15, 11));
    EXPECT_TRUE(t.media(2));
    EXPECT_FALSE(t.media(3, 100, ip("192.0.2.99"))) << "another source under the same number";
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("2:1316"));
    t.listen({});
    EXPECT_TRUE(t.output.idle());
    EXPECT_FALSE(t.media(4));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), IsEmpty());
  });
}

TEST(TunOutput, AnySourceIsAnySource) {
  with_laptop([](Fixture& t) {
    t.listen({{std::nullopt, kGroup}});
    EXPECT_TRUE(t.media(1));
    EXPECT_TRUE(t.media(1, 100, ip("192.0.2.99"), kGroup, 15, 10));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("1:1316"))
        << "the kernel drops what its program did not ask for";
  });
}

// Retransmissions and stragglers: a program that plays as it receives has gone on.
TEST(TunOutput, NothingComesTwiceOrLate) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    for (const std::uint32_t n : {1U, 2U, 4U, 3U, 4U, 1U, 5U}) {
      EXPECT_TRUE(t.media(n));
    }
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("1:1316", "2:1316", "4:1316", "5:1316"));
    EXPECT_EQ(t.output.counters().held_back, 3U);
  });
}

// The repairs of a burst come together, far behind and one after the other.
TEST(TunOutput, ARunOfRepairsDoesNotTurnItBack) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    for (const std::uint32_t n : {1U, 150U, 10U, 11U, 12U, 13U, 14U, 15U, 16U, 151U}) {
      EXPECT_TRUE(t.media(n));
    }
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("1:1316", "150:1316", "151:1316"));
    EXPECT_EQ(t.output.counters().held_back, 7U);
  });
}

// An HTTP player watches already: what is repaired for it is not the beginning for the program that joins.
TEST(TunOutput, WhoJoinsLaterDoesNotBeginWithARepair) {
  with_laptop([](Fixture& t) {
    t.listen({{std::nullopt, ip("232.9.9.9")}});
    EXPECT_FALSE(t.media(100));
    t.listen({kFilm});
    EXPECT_TRUE(t.media(98));
    EXPECT_TRUE(t.media(101));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("101:1316"));
  });
}

// What the box sends of the past, so that a player begins at a picture.
TEST(TunOutput, APreludeIsPassedOver) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    t.output.pass_over(FlowId{9}, 120, t.now);
    for (const std::uint32_t n : {119U, 121U, 120U, 122U}) {
      EXPECT_TRUE(t.media(n));
    }
    t.output.pass_over(FlowId{9}, 120, t.now);
    EXPECT_TRUE(t.media(123));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("121:1316", "122:1316", "123:1316"));
  });
}

TEST(TunOutput, NumbersAreComparedAroundTheirEnd) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    for (const std::uint32_t n : {0xffffffffU, 0U, 0xfffffffeU, 1U}) {
      EXPECT_TRUE(t.media(n));
    }
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("255:1316", "0:1316", "1:1316"));
  });
}

TEST(TunOutput, AFlowThatStaysBehindBeganAnew) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    EXPECT_TRUE(t.media(200));
    t.now += 1900ms;
    EXPECT_TRUE(t.media(5));
    t.now += 200ms;
    EXPECT_TRUE(t.media(7));
    EXPECT_TRUE(t.media(8));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("200:1316", "7:1316", "8:1316"));
  });
}

// As who zaps through all channels for a day does it: flow numbers are never used again.
TEST(TunOutput, ManyFlowsOneAfterTheOtherAllArrive) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    constexpr std::int64_t kFlows = 1000;
    for (std::int64_t flow = 1; flow <= kFlows; ++flow) {
      EXPECT_TRUE(t.media(1, 100, kSource, kGroup, 15, flow));
    }
    t.output.flush();
    EXPECT_EQ(t.laptop.received().size(), static_cast<std::size_t>(kFlows));
    EXPECT_EQ(t.output.counters().packets, static_cast<std::uint64_t>(kFlows));
  });
}

TEST(TunOutput, ANewSessionNumbersAnew) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    EXPECT_TRUE(t.media(1000));
    t.output.on_new_session();
    EXPECT_TRUE(t.media(1));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("232:1316", "1:1316"));
  });
}

TEST(TunOutput, TheHopLimitIsTheProvidersAndNoneGoesNowhere) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    EXPECT_TRUE(t.media(1, 1316, kSource, kGroup, 0));
    EXPECT_TRUE(t.media(2, 1316, kSource, kGroup, 1));
    t.output.flush();
    EXPECT_THAT(t.laptop.received(), ElementsAre("2:1316"));
  });
}

TEST(TunOutput, TellsWhenDataComesAndCeases) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    EXPECT_TRUE(t.media(1));
    EXPECT_TRUE(t.media(2));
    EXPECT_THAT(std::exchange(t.signals, {}), ElementsAre("+192.0.2.10@232.1.1.1"));
    t.now += 200ms;
    t.output.on_tick(t.now, t.signal);
    EXPECT_THAT(t.signals, IsEmpty());
    t.now += 100ms;
    t.output.on_tick(t.now, t.signal);
    t.output.on_tick(t.now, t.signal);
    EXPECT_THAT(std::exchange(t.signals, {}), ElementsAre("-192.0.2.10@232.1.1.1"));
    EXPECT_TRUE(t.media(3));
    EXPECT_THAT(std::exchange(t.signals, {}), ElementsAre("+192.0.2.10@232.1.1.1"));
    // What goes on being listened to is not new.
    t.listen({kFilm, {std::nullopt, ip("232.9.9.9")}});
    EXPECT_TRUE(t.media(4));
    EXPECT_THAT(t.signals, IsEmpty());
  });
}

TEST(TunOutput, AnInterfaceThatIsDownCostsOnlyWhatGoesThere) {
  with_laptop([](Fixture& t) {
    t.listen({kFilm});
    ASSERT_EQ(std::system("ip link set hearthcast0 down"), 0);
    EXPECT_TRUE(t.media(1));
    EXPECT_TRUE(t.media(2));
    t.output.flush();
    EXPECT_EQ(t.output.counters().dropped, 2U);
    EXPECT_EQ(t.output.counters().packets, 0U);
  });
}

TEST(TunOutput, WithoutAnInterfaceItDoesNothing) {
  TunOutput output;
  output.listen({{kFilm}});
  tunnel::MediaFrame frame;
  frame.header = {{kSource, 4000}, {kGroup, 5004}, 15, 0};
  EXPECT_FALSE(output.on_media(frame, Time{} + 1h, [](const Subscription&, bool) { FAIL(); }));
  output.flush();
  EXPECT_EQ(output.counters().writes, 0U);
}

}  // namespace
}  // namespace hearthcast::away
