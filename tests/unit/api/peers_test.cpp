// GET /peers, and how plainly /status says that peers are not encrypted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/api/browser.hpp"

namespace hearthcast::api {
namespace {

using nlohmann::json;

class PeersApiTest : public testing::Test, protected testing_browser::Browser {
 protected:
  PeersApiTest() { set_up(); }
  PeerLive& cabin() {
    live.peers = {{.name = "cabin",
                   .encapsulation = "gre",
                   .endpoint = Endpoint{*IpAddress::parse("192.0.2.7"), 0},
                   .trouble = "",
                   .refusal = "",
                   .watching = {ChannelId{3}},
                   .packets = 7,
                   .last_received = std::nullopt,
                   .drops = {{"source", 2}, {"nested", 0}}}};
    return live.peers.front();
  }
  json shown() { return get("/peers").body().at("peers").at(0); }
};

TEST_F(PeersApiTest, ThereIsNoneWithoutSettings) {
  EXPECT_EQ(get("/peers").body(), json({{"peers", json::array()}, {"strangers", 0}}));
  EXPECT_EQ(get("/status").body().at("unsealed_peers"), json::array());
}

TEST_F(PeersApiTest, OnlyTheOwnerSeesThem) {
  cabin();
  cookie.clear();
  EXPECT_EQ(get("/peers").status, 401);
}

TEST_F(PeersApiTest, EachIsSaidToBeUnsealed) {
  cabin();
  live.peer_strangers = 5;
  const json peer = shown();
  EXPECT_EQ(peer.at("sealed"), false);
  EXPECT_EQ(peer.at("name"), "cabin");
  EXPECT_EQ(peer.at("encapsulation"), "gre");
  EXPECT_EQ(peer.at("watching"), json({3}));
  EXPECT_EQ(peer.at("packets"), 7);
  EXPECT_EQ(peer.at("drops").at("source"), 2);
  EXPECT_EQ(get("/peers").body().at("strangers"), 5);
  EXPECT_EQ(get("/status").body().at("unsealed_peers"), json({"cabin"}));
}

TEST_F(PeersApiTest, AnEndpointHasAPortOnlyOverUdp) {
  PeerLive& peer = cabin();
  EXPECT_EQ(shown().at("endpoint"), "192.0.2.7");
  peer.endpoint = *Endpoint::parse("[2001:db8::7]:4754");
  EXPECT_EQ(shown().at("endpoint"), "[2001:db8::7]:4754");
  peer.endpoint.reset();
  EXPECT_FALSE(shown().contains("endpoint"));
}

TEST_F(PeersApiTest, WordsAreThereWhenThereIsSomethingToSay) {
  PeerLive& peer = cabin();
  EXPECT_FALSE(shown().contains("trouble"));
  EXPECT_FALSE(shown().contains("refusal"));
  EXPECT_FALSE(shown().contains("last_received_s"));
  peer.trouble = "no raw socket";
  peer.refusal = "not allowed";
  peer.last_received = now - std::chrono::seconds(9);
  EXPECT_EQ(shown().at("trouble"), "no raw socket");
  EXPECT_EQ(shown().at("refusal"), "not allowed");
  EXPECT_EQ(shown().at("last_received_s"), 9);
}

}  // namespace
}  // namespace hearthcast::api
