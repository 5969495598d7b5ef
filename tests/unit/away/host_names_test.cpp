#include "tunnelmgr/away/host_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;

tunnel::ReachAddress at(std::string_view text) { return *tunnel::ReachAddress::parse(text); }

struct HostNamesTest : testing::Test {
  boost::asio::io_context io;
  std::vector<Endpoint> found;
  HostNames names{io, [this](const std::vector<Endpoint>& endpoints) {
                    found = endpoints;
                    io.stop();
                  }};
};

TEST_F(HostNamesTest, ANameIsLookedUpAtOnceWithItsPort) {
  names.set({at("localhost:4756")});
  io.run_for(30s);
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(std::ranges::all_of(
      found, [](const Endpoint& e) { return e.port == 4756 && e.address.is_loopback(); }));
}

TEST_F(HostNamesTest, AddressesNeedNoLookingUp) {
  names.set({at("192.0.2.1:4756"), at("[2001:db8::1]:4756")});
  names.want(false);
  EXPECT_EQ(io.run_for(30s), 0U) << "nothing to do";
  EXPECT_TRUE(found.empty());
}

TEST_F(HostNamesTest, TheSameNamesAreNotAskedForAgainAtOnce) {
  names.set({at("localhost:4756")});
  io.run_for(30s);
  found.clear();
  io.restart();
  names.set({at("localhost:4756"), at("192.0.2.1")});
  io.run_for(200ms);
  EXPECT_TRUE(found.empty());
}

TEST_F(HostNamesTest, ItCanGoWhileAnAnswerIsOnItsWay) {
  {
    HostNames gone(io, [](const std::vector<Endpoint>&) { ADD_FAILURE() << "nobody is there to hear it"; });
    gone.set({at("localhost:1")});
  }
  io.run_for(5s);
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace hearthcast::away
