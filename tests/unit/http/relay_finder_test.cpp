#include "tunnelmgr/http/relay_finder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>

namespace hearthcast::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using wire::TurnServer;
using wire::TurnTransport;

struct RelayFinderTest : testing::Test {
  void find(const std::vector<std::string>& urls) {
    finder.find(urls, [this](std::vector<TurnServer> servers) { found = std::move(servers); });
  }
  boost::asio::io_context io;
  RelayFinder finder{io};
  std::optional<std::vector<TurnServer>> found;
};

TEST_F(RelayFinderTest, AddressesAreThereAtOnceUdpFirstThenTlsThenTcp) {
  find({"turns:203.0.113.11:443?transport=tcp", "turn:203.0.113.11:80?transport=tcp", "stun:203.0.113.9",
        "turn:[2001:db8::1]:3479"});
  ASSERT_TRUE(found);
  EXPECT_THAT(
      *found,
      ElementsAre(TurnServer{*Endpoint::parse("[2001:db8::1]:3479"), TurnTransport::kUdp, "2001:db8::1"},
                  TurnServer{*Endpoint::parse("203.0.113.11:443"), TurnTransport::kTls, "203.0.113.11"},
                  TurnServer{*Endpoint::parse("203.0.113.11:80"), TurnTransport::kTcp, "203.0.113.11"}));
}

TEST_F(RelayFinderTest, NamesAreAskedFor) {
  find({"turn:localhost:3479"});
  EXPECT_FALSE(found);
  io.run_for(std::chrono::seconds{10});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_TRUE((*found)[0].endpoint.address.is_loopback());
  EXPECT_EQ((*found)[0].host, "localhost");
}

TEST_F(RelayFinderTest, OnlyTheLastQuestionIsAnswered) {
  find({"turn:localhost:3479"});
  find({});
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, IsEmpty());
  io.run_for(std::chrono::seconds{10});
  EXPECT_THAT(*found, IsEmpty());
}

// Some of the answers are found by then and wait for the loop, where nothing can cancel them.
TEST_F(RelayFinderTest, ItCanBeAskedAnewWhileAnswersWait) {
  std::deque<RelayFinder> finders;
  for (int count = 0; count < 300; ++count) {
    finders.emplace_back(io).find({"turn:localhost:3479"},
                                  [](const std::vector<TurnServer>&) { ADD_FAILURE() << "asked before"; });
  }
  for (RelayFinder& each : finders) {
    each.find({}, [](const std::vector<TurnServer>&) {});
  }
  io.run_for(std::chrono::seconds{10});
}

}  // namespace
}  // namespace hearthcast::http
