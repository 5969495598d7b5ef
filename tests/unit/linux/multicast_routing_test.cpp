// The kernel's multicast forwarding, tried in networks of their own: a router with an upstream and two LANs.
// What is sent into "far_wan" comes in by "wan"; what the router sends out of "lan" is seen on "far_lan".
#include "tunnelmgr/linux/multicast_routing.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/linux/test_links.hpp"
#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::linux {
namespace {

using testing::HasSubstr;
using testing::Optional;

constexpr std::uint32_t kTable = kFirstMulticastTable;

struct Addresses {
  Family family;
  IpAddress source;
  IpAddress other_source;
  IpAddress group;
  IpAddress other_group;
};
const Addresses kIp4{Family::kIp4, address("192.0.2.9"), address("192.0.2.8"), address("232.1.1.1"),
                     address("239.1.1.2")};
const Addresses kIp6{Family::kIp6, address("2001:db8::9"), address("2001:db8::8"), address("ff3e::1"),
                     address("ff1e::2")};

std::string rules(Family family) { return output_of(family == Family::kIp4 ? "ip mrule" : "ip -6 mrule"); }

// The router, in the network of the test.
class Router {
 public:
  explicit Router(const Addresses& addresses)
      : a_(addresses), sender_(open_link("far_wan")), back_(open_link("far_lan")) {
    auto opened = MulticastRouting::open(a_.family, kTable, netd_);
    EXPECT_TRUE(opened) << opened.error().text;
    routing_.emplace(std::move(*opened));
    for (const unsigned index : {up(), lan(), other()}) {
      const auto added = routing_->add_interface(index);
      EXPECT_TRUE(added) << added.error().text;
    }
  }
  [[nodiscard]] static unsigned up() { return index_of("wan"); }
  [[nodiscard]] static unsigned lan() { return index_of("lan"); }
  [[nodiscard]] static unsigned other() { return index_of("other"); }
  MulticastRouting& routing() { return *routing_; }
  NetdClient& netd() { return netd_; }
  void close() { routing_.reset(); }

  void set(const Route& route) {
    const auto done = routing_->set_route(route);
    EXPECT_TRUE(done) << done.error().text;
  }
  // To the LAN, of the addresses' source and group.
  [[nodiscard]] Route usual() const { return {{a_.group, a_.source}, up(), {{lan(), 1}}}; }
  // A route of its own group, whose packets tell that all sent before have passed or never will.
  void set_marker() { set({{a_.other_group, a_.source}, up(), {{lan(), 1}, {other(), 1}}}); }

  void send(const std::string& text, std::uint8_t hop_limit = 16) { send_from(a_.source, text, hop_limit); }
  void send_from(const IpAddress& source, const std::string& text, std::uint8_t hop_limit = 16) {
    EXPECT_TRUE(sender_.send(channel_packet({source, a_.group, hop_limit}, text)));
  }
  void send_marker() { EXPECT_TRUE(sender_.send(channel_packet({a_.source, a_.other_group}, "marker"))); }
  void send_back(const std::string& text) {  // into the LAN, from there
    EXPECT_TRUE(back_.send(channel_packet({a_.source, a_.group}, text)));
  }
  void send_back_to_other_group() {
    EXPECT_TRUE(back_.send(channel_packet({a_.source, a_.other_group}, "x")));
  }
  [[nodiscard]] std::optional<RouteUpcall> next_upcall() {
    return readable(routing_->fd()) ? routing_->read() : std::nullopt;
  }

 private:
  const Addresses& a_;
  NetdClient netd_;
  LinkSocket sender_;
  LinkSocket back_;
  std::optional<MulticastRouting> routing_;
};

void with_router(const std::function<void(const Addresses&)>& body) {
  for (const Addresses& addresses : {kIp4, kIp6}) {
    in_links([&] {
      SCOPED_TRACE(addresses.group.to_string());
      add_cable("wan", "far_wan");
      add_cable("lan", "far_lan");
      add_cable("other", "far_other");
      body(addresses);
    });
  }
}

TEST(MulticastRouting, ForwardsOneSourceToItsOutputsOnly) {
  with_router([](const Addresses& a) {
    Router router(a);
    const Capture lan("far_lan");
    const Capture other("far_other");
    router.set(router.usual());
    router.set_marker();
    router.send("picture", 9);
    router.send_marker();
    EXPECT_EQ(next_channel(lan), (Seen{"picture", 8}));
    EXPECT_EQ(next_channel(lan).text, "marker");
    EXPECT_EQ(next_channel(other).text, "marker");
    const auto counted = router.routing().counters(router.usual().key);
    ASSERT_TRUE(counted);
    EXPECT_EQ(counted->packets, 1U);
    EXPECT_EQ(counted->bytes, channel_packet({a.source, a.group}, "picture").size());
    EXPECT_EQ(counted->wrong_interface, 0U);
    EXPECT_EQ(router.routing().counters(Router::up())->packets_in, 2U);
    EXPECT_EQ(router.routing().counters(Router::lan())->packets_out, 2U);
    EXPECT_EQ(router.routing().counters(Router::other())->packets_out, 1U);
    EXPECT_FALSE(router.routing().counters(RouteKey{a.group, a.other_source}));
    EXPECT_FALSE(router.routing().counters(999'999U));
  });
}

TEST(MulticastRouting, ForwardsAnySourceAndPrefersARouteOfTheSource) {
  with_router([](const Addresses& a) {
    Router router(a);
    const Capture lan("far_lan");
    const Capture other("far_other");
    const Capture upstream("far_wan");
    router.set({{a.group, std::nullopt}, Router::up(), {{Router::lan(), 1}, {Router::up(), 1}}});
    router.set({{a.group, a.other_source}, Router::up(), {{Router::other(), 1}}});
    router.set_marker();
    router.send_from(a.source, "any");
    router.send_from(a.other_source, "this one");
    router.send_marker();
    EXPECT_EQ(next_channel(lan).text, "any");
    EXPECT_EQ(next_channel(lan).text, "marker");
    EXPECT_EQ(next_channel(other).text, "this one");
    EXPECT_EQ(router.routing().counters(RouteKey{a.group, std::nullopt})->packets, 1U);
    // Never back to where it came from: what is sent upstream now is the first that is seen there.
    router.set({{a.group, a.source}, Router::lan(), {{Router::up(), 1}}});
    router.send_back("upstream");
    EXPECT_EQ(next_channel(upstream).text, "upstream");
    EXPECT_FALSE(router.routing().read());  // nothing was without route
  });
}

// Row 39: only from the expected interface, by a route of any source, too.
TEST(MulticastRouting, TakesNoPacketFromTheWrongInterface) {
  with_router([](const Addresses& a) {
    for (const std::optional<IpAddress>& source : {std::optional(a.source), std::optional<IpAddress>()}) {
      Router router(a);
      const Capture upstream("far_wan");
      const Capture other("far_other");
      const Route route{{a.group, source}, Router::up(), {{Router::lan(), 1}, {Router::other(), 1}}};
      router.set(route);
      router.set_marker();
      router.send_back("stray");
      // Row 10: it is told, and changes nothing.
      EXPECT_THAT(router.next_upcall(), Optional(RouteUpcall{RouteUpcall::Kind::kWrongInterface,
                                                             Router::lan(), a.source, a.group}));
      EXPECT_EQ(router.routing().counters(route.key)->wrong_interface, 1U);
      EXPECT_EQ(router.routing().routes().at(route.key), route);
      router.send("right");
      EXPECT_EQ(next_channel(other).text, "right");  // and the stray one before it went nowhere
    }
  });
}

TEST(MulticastRouting, TellsOfPacketsWithoutRoute) {
  with_router([](const Addresses& a) {
    Router router(a);
    router.send("first");
    EXPECT_THAT(router.next_upcall(),
                Optional(RouteUpcall{RouteUpcall::Kind::kNoRoute, Router::up(), a.source, a.group}));
    router.send("second");  // told once while it waits
    router.send_from(a.other_source, "third");
    EXPECT_THAT(router.next_upcall(),
                Optional(RouteUpcall{RouteUpcall::Kind::kNoRoute, Router::up(), a.other_source, a.group}));
    // Of an interface that has been removed since nothing is told.
    router.send_back_to_other_group();
    ASSERT_TRUE(readable(router.routing().fd()));
    router.routing().remove_interface(Router::lan());
    EXPECT_EQ(router.routing().read(), std::nullopt);
  });
}

// Row 40: what the kernel parked while there was no route is never delivered.
TEST(MulticastRouting, DeliversNoBacklogWhenTheRouteComesLate) {
  with_router([](const Addresses& a) {
    Router router(a);
    const Capture lan("far_lan");
    router.set_marker();
    for (const char* text : {"old 1", "old 2", "old 3"}) {
      router.send(text);
    }
    router.send_marker();
    ASSERT_EQ(next_channel(lan).text, "marker");
    ASSERT_TRUE(router.next_upcall());
    router.set(router.usual());
    router.send("fresh");
    EXPECT_EQ(next_channel(lan).text, "fresh");
  });
}

// Rows 10 and 40: a negative entry is told of once, costs nothing more, and leaves no backlog to a later
// join.
TEST(MulticastRouting, NegativeEntryDropsAndCountsUntilSomeoneWantsIt) {
  with_router([](const Addresses& a) {
    for (const std::optional<IpAddress>& source : {std::optional(a.source), std::optional<IpAddress>()}) {
      Router router(a);
      const Capture lan("far_lan");
      Route route{{a.group, source}, Router::up(), {}};
      router.set(route);
      for (int i = 0; i < 100; ++i) {
        router.send("unwanted");
      }
      EXPECT_TRUE(eventually([&] { return router.routing().counters(route.key)->packets == 100; }));
      EXPECT_EQ(router.routing().read(), std::nullopt) << "nothing is told of what has an entry";
      route.outputs = {{Router::lan(), 1}};
      router.set(route);
      router.send("wanted");
      EXPECT_EQ(next_channel(lan).text, "wanted");
      EXPECT_EQ(router.routing().counters(route.key)->packets, 101U) << "the counter goes on";
    }
  });
}

// Row 37.
TEST(MulticastRouting, HopLimitsAndThresholds) {
  with_router([](const Addresses& a) {
    Router router(a);
    const Capture lan("far_lan");
    router.set(router.usual());
    router.send("ends here", 1);
    router.send("last hop", 2);
    EXPECT_EQ(next_channel(lan), (Seen{"last hop", 1}));
    Route farther = router.usual();
    farther.outputs = {{Router::lan(), 8}};
    if (a.family == Family::kIp4) {
      router.set(farther);
      router.send("too near", 8);
      router.send("far enough", 9);
      EXPECT_EQ(next_channel(lan), (Seen{"far enough", 8}));
    } else {
      EXPECT_THAT(router.routing().set_route(farther).error().text, HasSubstr("leave it at 1"));
    }
  });
}

TEST(MulticastRouting, AChangeOfOutputsLosesNoPacket) {
  with_router([](const Addresses& a) {
    Router router(a);
    const Capture lan("far_lan");
    router.set(router.usual());
    for (int i = 0; i < 200; ++i) {
      Route route = router.usual();
      if (i % 2 == 0) {
        route.outputs.push_back({Router::other(), 1});
      }
      router.set(route);
      router.send(std::to_string(i));
    }
    for (int i = 0; i < 200; ++i) {
      ASSERT_EQ(next_channel(lan).text, std::to_string(i));
    }
    router.routing().remove_route(router.usual().key);
    router.routing().remove_route(router.usual().key);  // a second time does nothing
    EXPECT_TRUE(router.routing().routes().empty());
    router.set_marker();
    router.send("late");
    router.send_marker();
    EXPECT_EQ(next_channel(lan).text, "marker");
  });
}

TEST(MulticastRouting, RefusesTheThirtyThirdInterfaceWithWords) {
  for (const Addresses& a : {kIp4, kIp6}) {
    in_links([&] {
      std::string batch;
      for (int i = 0; i < 34; i += 2) {
        batch +=
            "link add port" + std::to_string(i) + " type veth peer name port" + std::to_string(i + 1) + "\n";
      }
      write_file(testing::TempDir() + "/links", batch);
      run_ip("-batch " + testing::TempDir() + "/links");
      NetdClient netd;
      auto routing = MulticastRouting::open(a.family, kTable, netd);
      ASSERT_TRUE(routing) << routing.error().text;
      for (int i = 0; i < 32; ++i) {
        ASSERT_TRUE(routing->add_interface(index_of("port" + std::to_string(i)))) << i;
      }
      ASSERT_TRUE(routing->add_interface(index_of("port3"))) << "known ones may be repeated";
      const auto refused = routing->add_interface(index_of("port32"));
      ASSERT_FALSE(refused);
      EXPECT_THAT(refused.error().text, HasSubstr("the kernel takes 32 in one table"));
      routing->remove_interface(index_of("port7"));
      EXPECT_TRUE(routing->add_interface(index_of("port32")));
    });
  }
}

TEST(MulticastRouting, SaysWhyItRefuses) {
  with_router([](const Addresses& a) {
    Router router(a);
    MulticastRouting& routing = router.routing();
    const auto text = [&](const Route& route) {
      const auto done = routing.set_route(route);
      return done ? std::string("done") : done.error().text;
    };
    Route route = router.usual();
    route.input = 999'999;
    EXPECT_THAT(text(route), HasSubstr("not in the table"));
    route = router.usual();
    route.outputs.push_back({999'999, 1});
    EXPECT_THAT(text(route), HasSubstr("not in the table"));
    route = router.usual();
    route.outputs.front().threshold = 0;
    EXPECT_THAT(text(route), HasSubstr("between 1 and 254"));
    route.outputs.front().threshold = 255;
    EXPECT_THAT(text(route), HasSubstr("between 1 and 254"));
    const bool ip4 = a.family == Family::kIp4;
    for (const char* group :
         {ip4 ? "224.0.0.9" : "ff02::9", ip4 ? "192.0.2.1" : "2001:db8::1", ip4 ? "ff3e::1" : "232.1.1.1"}) {
      EXPECT_THAT(text({{address(group), std::nullopt}, Router::up(), {}}), HasSubstr("group")) << group;
    }
    for (const char* source :
         {ip4 ? "0.0.0.0" : "::", ip4 ? "127.0.0.1" : "::1", ip4 ? "232.1.1.1" : "ff3e::1",
          ip4 ? "169.254.1.1" : "fe80::1", ip4 ? "2001:db8::1" : "192.0.2.1"}) {
      EXPECT_THAT(text({{a.group, address(source)}, Router::up(), {}}), HasSubstr("source")) << source;
    }
    EXPECT_TRUE(routing.routes().empty());
    EXPECT_FALSE(routing.add_interface(999'999));
    const auto second = MulticastRouting::open(a.family, kTable, router.netd());
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().text, HasSubstr("another program has this table"));
    EXPECT_FALSE(MulticastRouting::open(a.family, kTable + kMulticastTables, router.netd()));
    EXPECT_FALSE(MulticastRouting::open(a.family, 253, router.netd())) << "everyone's table is not ours";
  });
}

// A place that one interface had in the kernel is given to another; routes must not follow.
TEST(MulticastRouting, DeletedInterfaceLeavesNothingToTheNextOne) {
  with_router([](const Addresses& a) {
    Router router(a);
    router.set({{a.group, a.source}, Router::up(), {{Router::other(), 1}}});
    router.set({{a.group, a.other_source}, Router::other(), {{Router::lan(), 1}}});
    const unsigned gone = Router::other();
    run_ip("link del other");
    router.routing().remove_interface(gone);
    router.routing().remove_interface(gone);
    EXPECT_FALSE(router.routing().has_interface(gone));
    EXPECT_EQ(router.routing().routes().size(), 1U) << "its input was that interface";
    EXPECT_TRUE(router.routing().routes().begin()->second.outputs.empty());
    add_cable("other", "far_other");
    ASSERT_NE(Router::other(), gone);
    ASSERT_TRUE(router.routing().add_interface(Router::other()));
    const Capture other("far_other");
    router.set_marker();
    router.send("not for the new one");
    router.send_marker();
    EXPECT_EQ(next_channel(other).text, "marker");
  });
}

// Rules know names: after a new name the interface is added again.
TEST(MulticastRouting, ARenamedInterfaceIsAddedAgain) {
  with_router([](const Addresses& a) {
    Router router(a);
    const unsigned index = Router::lan();
    run_ip("link set lan down");
    run_ip("link set lan name den");
    run_ip("link set den up");
    ASSERT_TRUE(router.routing().add_interface(index));
    EXPECT_THAT(rules(a.family), HasSubstr("iif den lookup 4755"));
    EXPECT_THAT(rules(a.family), testing::Not(HasSubstr("iif lan ")));
  });
}

// Row 44: an orderly end.
TEST(MulticastRouting, ClosingFreesRulesRoutesAndTable) {
  with_router([](const Addresses& a) {
    {
      Router router(a);
      EXPECT_THAT(rules(a.family), HasSubstr("iif wan lookup 4755"));
      router.set(router.usual());
      router.close();
      EXPECT_THAT(rules(a.family), testing::Not(HasSubstr("4755")));
    }
    Router again(a);
    const Capture lan("far_lan");
    again.set_marker();
    again.send("by the old route?");
    again.send_marker();
    EXPECT_EQ(next_channel(lan).text, "marker");
  });
}

// Both families of an instance have tables of one number; the kernel tells of the rules of both at once.
TEST(MulticastRouting, TheTableOfOneFamilyLeavesTheOtherItsRules) {
  with_router([](const Addresses& a) {
    Router router(a);
    NetdClient netd;
    const Family other = a.family == Family::kIp4 ? Family::kIp6 : Family::kIp4;
    const auto second = MulticastRouting::open(other, kTable, netd);
    ASSERT_TRUE(second) << second.error().text;
    EXPECT_THAT(rules(a.family), HasSubstr("iif wan lookup 4755"));
  });
}

// Row 44: a crash of all that could tidy up. The kernel forwards nothing from then on, and the next start
// removes what is left.
TEST(MulticastRouting, AfterAKillNothingIsForwardedAndTheNextStartTidiesUp) {
  with_router([](const Addresses& a) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Router router(a);
      router.set(router.usual());
      static_cast<void>(::write(ready[1], "x", 1));
      for (;;) {
        ::pause();
      }
    }
    LinkSocket sender = open_link("far_wan");
    const Capture lan("far_lan");
    ASSERT_TRUE(readable(ready[0]));
    EXPECT_TRUE(sender.send(channel_packet({a.source, a.group}, "while it lives")));
    EXPECT_EQ(next_channel(lan).text, "while it lives");
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(sender.send(channel_packet({a.source, a.group}, "after its death")));
    EXPECT_THAT(rules(a.family), HasSubstr("4755")) << "else this test shows less than it says";
    Router next(a);
    EXPECT_EQ(
        output_of(std::string("ip ") + (a.family == Family::kIp4 ? "" : "-6 ") + "mrule | grep -c 4755"),
        "3\n")
        << "its own three only";
    next.set_marker();
    next.send_marker();
    EXPECT_EQ(next_channel(lan).text, "marker");
    next.close();
    EXPECT_THAT(rules(a.family), testing::Not(HasSubstr("4755")));
    ::close(ready[0]);
    ::close(ready[1]);
  });
}

TEST(MulticastRouting, ForwardsIntoATunDevice) {
  with_router([](const Addresses& a) {
    const TestTun tun("tun0", IFF_TUN | IFF_NO_PI);
    Router router(a);
    ASSERT_TRUE(router.routing().add_interface(index_of("tun0")));
    Route route = router.usual();
    route.outputs = {{index_of("tun0"), 1}};
    router.set(route);
    router.send("away", 5);
    Buffer expected = channel_packet({a.source, a.group, 4}, "away");
    EXPECT_EQ(tun.next([&](Bytes packet) { return wire::decode_udp_packet(packet).has_value(); }), expected);
  });
}

// Row 39: what a strict reverse path filter does to a provider whose sources are not routed by that
// interface, and the setting that cures it.
TEST(MulticastRouting, ReversePathFilterIsSeenAndSet) {
  in_links([] {
    add_cable("wan", "far_wan");
    add_cable("lan", "far_lan");
    add_cable("other", "far_other");
    Router router(kIp4);
    const Capture lan("far_lan");
    NetdClient& netd = router.netd();
    router.set(router.usual());
    router.set_marker();
    ASSERT_TRUE(netd.write_setting(MachineSetting::kReversePathFilter, 1, Router::up()));
    EXPECT_EQ(*netd.read_setting(MachineSetting::kReversePathFilter, Router::up()), 1U);
    EXPECT_EQ(*netd.read_setting(MachineSetting::kReversePathFilter), 0U) << "of all interfaces";
    router.send("filtered");
    EXPECT_TRUE(eventually(
        [] { return output_of("nstat -azs TcpExtIPReversePathFilter | awk 'END { print $2 }'") == "1\n"; }));
    ASSERT_TRUE(netd.write_setting(MachineSetting::kReversePathFilter, 0, Router::up()));
    router.send("passed");
    EXPECT_EQ(next_channel(lan).text, "passed");
  });
}

}  // namespace
}  // namespace hearthcast::linux
