#include "tunnelmgr/runtime/link_ports.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "tests/unit/memory_log.hpp"

namespace hearthcast::runtime {
namespace {

linux::Interface link(unsigned index = 4000) {
  linux::Interface made;
  made.index = index;  // that no machine has
  made.name = "away";
  made.up = made.running = made.multicast = true;
  made.addresses = {{*IpAddress::parse("192.168.1.10"), 24}, {*IpAddress::parse("2001:db8:1::10"), 64}};
  return made;
}

TEST(Neighbours, AreInANetworkOfTheLinkOrLinkLocal) {
  for (const char* const near : {"192.168.1.1", "192.168.1.255", "2001:db8:1::7", "fe80::1"}) {
    EXPECT_TRUE(is_neighbour(link(), *IpAddress::parse(near))) << near;
  }
  for (const char* const far : {"192.168.2.1", "8.8.8.8", "2001:db8:2::7", "fd00::1", "169.254.1.1"}) {
    EXPECT_FALSE(is_neighbour(link(), *IpAddress::parse(far))) << far;
  }
}

TEST(Neighbours, ALinkWithoutAddressesHasOnlyLinkLocalOnes) {
  linux::Interface bare = link();
  bare.addresses.clear();
  EXPECT_FALSE(is_neighbour(bare, *IpAddress::parse("192.168.1.1")));
  EXPECT_TRUE(is_neighbour(bare, *IpAddress::parse("fe80::1")));
}

struct LinkPortsTest : testing::Test {
  std::size_t opened_with(const linux::Interface& one, std::optional<unsigned> without = {}) {
    log.lines.clear();
    ports.refresh({one}, without);
    return log.lines.size();  // each attempt fails, since there is no such interface, and says so
  }
  boost::asio::io_context io;
  MemoryLog log;
  LinkPorts ports{io,
                  log,
                  {.group4 = IpAddress::ip4(0xe00000fb), .group6 = *IpAddress::parse("ff02::fb")},
                  [](const auto&) {}};
};

TEST_F(LinkPortsTest, EachFamilyOfAUsableLinkIsOpened) {
  EXPECT_EQ(opened_with(link()), 2U);
  linux::Interface only4 = link();
  only4.addresses.resize(1);
  EXPECT_EQ(opened_with(only4), 1U);
  only4.addresses[0].tentative = true;
  EXPECT_EQ(opened_with(only4), 0U);
}

TEST_F(LinkPortsTest, LinksWithoutNeighboursAreLeftOut) {
  for (bool linux::Interface::*const unfit :
       {&linux::Interface::loopback, &linux::Interface::point_to_point}) {
    linux::Interface one = link();
    one.*unfit = true;
    EXPECT_EQ(opened_with(one), 0U);
  }
  for (bool linux::Interface::*const needed : {&linux::Interface::running, &linux::Interface::multicast}) {
    linux::Interface one = link();
    one.*needed = false;
    EXPECT_EQ(opened_with(one), 0U);
  }
  EXPECT_EQ(opened_with(link(4000), 4000), 0U) << "the one that is left out";
}

TEST_F(LinkPortsTest, WhatIsNotOpenIsNotSentOn) {
  EXPECT_FALSE(ports.send(4000, {*IpAddress::parse("192.168.1.1"), 5353}, as_bytes("x")));
  ports.send_to_groups(5353, as_bytes("x"));
  EXPECT_TRUE(log.lines.empty());
}

}  // namespace
}  // namespace hearthcast::runtime
