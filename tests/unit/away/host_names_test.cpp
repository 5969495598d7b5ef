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
  // The answers to one question, empty when none comes soon.
  std::vector<Endpoint> answers(std::chrono::milliseconds within = 30s) {
    found.clear();
    io.restart();
    io.run_for(within);
    return found;
  }

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

TEST_F(HostNamesTest, TheyAreAskedForAsSoonAsTheyAreWantedAgain) {
  names.set({at("localhost:4756")});
  EXPECT_FALSE(answers().empty());
  names.want(true);
  EXPECT_FALSE(answers().empty());
  names.want(true);
  EXPECT_TRUE(answers(200ms).empty()) << "nothing has changed";
  names.on_network_change();
  EXPECT_FALSE(answers().empty());
  names.want(false);
  names.on_network_change();
  EXPECT_TRUE(answers(200ms).empty()) << "nobody wants them";
}

TEST_F(HostNamesTest, ThoseThatAreBeingAskedForAreNotAskedForTwice) {
  names.set({at("localhost:4756")});
  names.want(true);
  names.want(false);
  names.want(true);
  EXPECT_FALSE(answers().empty());
  EXPECT_TRUE(answers(200ms).empty());
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
