#include "tunnelmgr/away/relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/nat/fake_relay.hpp"

namespace hearthcast::away {
namespace {

using namespace std::chrono_literals;
using nat::RelayActions;
using nat::RelayClient;
using testing::HasSubstr;
using testing::IsEmpty;
using wire::TurnTransport;

struct RelayTest : testing::Test {
  void settle(RelayActions actions) {
    do {  // what waits at the server comes in any case
      for (const auto& action : actions) {
        if (const auto* send = std::get_if<nat::RelaySend>(&action)) {
          sent_on_stream.push_back(send->on_stream);
          if (!mute && (!deaf || send->on_stream)) {
            server.take(send->bytes, now);
          }
        } else if (const auto* connect = std::get_if<nat::RelayConnect>(&action)) {
          connects.push_back(*connect);
        } else if (const auto* came = std::get_if<nat::RelayArrived>(&action)) {
          arrived.push_back(*came);
        } else if (const auto* failed = std::get_if<nat::RelayFailed>(&action)) {
          failures.push_back(failed->reason);
        }
      }
      actions.clear();
      for (const auto& datagram : server.answers()) {
        if (const auto message = wire::decode_stun(datagram)) {
          EXPECT_TRUE(relay.takes(relay.server().value_or(udp), *message) || !relay.server());
          const auto more = relay.on_stun(datagram, *message, now);
          actions.insert(actions.end(), more.begin(), more.end());
        }
      }
    } while (!actions.empty());
  }
  void run_until(Time end) {
    while (relay.next_deadline() <= end) {
      now = std::max(now, relay.next_deadline());
      settle(relay.on_deadline(now));
    }
    now = end;
  }
  void give() { settle(relay.on_account(account, 48h, now)); }
  void connect_by_relay() {
    give();
    settle(relay.set_peers({box}, now));
    settle(relay.on_path(std::nullopt, now));
    run_until(now + 1s);
  }

  nat::FakeRelay server;
  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes hashes;
  secure::OpenSslRandom random;
  Relay relay{crypto, hashes, random};
  const Endpoint udp = *Endpoint::parse("203.0.113.10:3479");
  const wire::TurnServer tls{*Endpoint::parse("203.0.113.11:443"), TurnTransport::kTls, "relay.example"};
  const wire::TurnServer tcp{*Endpoint::parse("203.0.113.11:80"), TurnTransport::kTcp, "relay.example"};
  nat::RelayAccount account{{{udp, TurnTransport::kUdp, "203.0.113.10"}}, server.username, server.password};
  bool deaf = false;  // to datagrams
  bool mute = false;  // to everything
  std::vector<bool> sent_on_stream;
  std::vector<nat::RelayConnect> connects;
  Endpoint box = *Endpoint::parse("198.51.100.2:50123");
  Time now{1h};
  std::vector<nat::RelayArrived> arrived;
  std::vector<std::string> failures;
};

TEST_F(RelayTest, ADirectPathIsGivenAMomentFirst) {
  give();
  settle(relay.on_path(std::nullopt, now));
  EXPECT_EQ(relay.next_deadline(), now + Relay::kPatience);
  EXPECT_FALSE(relay.server());
  settle(relay.on_path(*Endpoint::parse("198.51.100.2:4755"), now + 100ms));
  EXPECT_EQ(relay.next_deadline(), kNever);
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 0);
}

TEST_F(RelayTest, TheEndOfADirectPathThatDoesNotAnswerIsNotWaitedFor) {
  give();
  settle(relay.on_path(*Endpoint::parse("198.51.100.2:4755"), now));
  relay.on_doubt(true, now);
  run_until(now + Relay::kPatience / 2);
  relay.on_doubt(false, now);
  run_until(now + 5s);
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 0) << "it came back";
  relay.on_doubt(true, now);
  run_until(now + 1s);
  EXPECT_EQ(relay.relayed(), server.relayed);
  run_until(now + 2 * Relay::kSettled);
  EXPECT_TRUE(relay.relayed()) << "a way if there is no other";
  relay.on_doubt(false, now);
  run_until(now + Relay::kSettled + 1s);
  EXPECT_FALSE(relay.relayed());
}

TEST_F(RelayTest, WithoutOneTheRelayIsAskedWhicheverComesFirst) {
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 10s);
  EXPECT_FALSE(relay.relayed()) << "nothing to ask with";
  give();
  run_until(now + 1s);
  EXPECT_EQ(relay.relayed(), server.relayed);
  EXPECT_EQ(relay.server(), udp);
}

TEST_F(RelayTest, AnAllocationThatNoPathComesOfIsMadeAnew) {
  // A NAT on the way has forgotten the mapping that it belongs to: the relay hears nobody, and nobody says
  // so.
  connect_by_relay();
  ASSERT_EQ(server.seen[wire::kTurnAllocate], 1);
  server.allocation_until = now;  // to the relay the client is another one now
  run_until(now + Relay::kVain);
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 2);
  run_until(now + 5min);
  // Ever more rarely, with two requests each: the relay still has the one before, which is given back.
  EXPECT_LE(server.seen[wire::kTurnAllocate], 14);
  EXPECT_GE(server.seen[wire::kTurnAllocate], 10);
}

TEST_F(RelayTest, AnAllocationThatCarriesStays) {
  connect_by_relay();
  settle(relay.on_path(wire::channel_endpoint(0x4001), now));
  run_until(now + 5min);
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 1);
}

TEST_F(RelayTest, AnAccountThatHasEndedIsNotUsed) {
  settle(relay.on_account(account, 1h, now));
  now += 2h;
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 10s);
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 0);
}

TEST_F(RelayTest, OnlyPublicAddressesOfTheBoxMaySpeakToIt) {
  give();
  settle(relay.set_peers({box, *Endpoint::parse("192.168.1.10:4755"), *Endpoint::parse("[2001:db8::1]:4755"),
                          *Endpoint::parse("198.51.100.2:4755")},
                         now));
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 1s);
  EXPECT_EQ(server.seen[wire::kTurnCreatePermission], 1);
  EXPECT_TRUE(server.from_peer(box, as_bytes("check"), now));
}

TEST_F(RelayTest, ABoxOfIp6AloneIsReachedThroughARelayOfBothFamilies) {
  server.relayed6 = *Endpoint::parse("[2001:db8:c0de::10]:50002");
  box = *Endpoint::parse("[2001:db8:99::10]:4755");
  connect_by_relay();
  EXPECT_EQ(relay.relayed(), server.relayed);
  EXPECT_EQ(relay.relayed6(), server.relayed6);
  EXPECT_EQ(server.seen[wire::kTurnCreatePermission], 1);
  ASSERT_TRUE(server.from_peer(box, as_bytes("check"), now));
  settle(relay.on_deadline(now));
  ASSERT_EQ(arrived.size(), 1U);
  settle(relay.send(arrived[0].from, as_bytes("answer"), now));
  ASSERT_EQ(server.to_peers.size(), 1U);
  EXPECT_EQ(server.to_peers[0].to, box);
}

TEST_F(RelayTest, OnlyPublicAddressesOfIp6MaySpeakToIt) {
  server.relayed6 = *Endpoint::parse("[2001:db8:c0de::10]:50002");
  give();
  settle(relay.set_peers({*Endpoint::parse("[fd00::1]:4755"), *Endpoint::parse("[fe80::1]:4755"),
                          *Endpoint::parse("[::1]:4755"), *Endpoint::parse("[2001:db8:99::10]:4755")},
                         now));
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 1s);
  EXPECT_EQ(server.seen[wire::kTurnCreatePermission], 1);
  EXPECT_FALSE(server.from_peer(*Endpoint::parse("[fd00::1]:4755"), as_bytes("check"), now));
}

TEST_F(RelayTest, DatagramsOfThePeerComeFromItsChannelAndGoBackThere) {
  connect_by_relay();
  ASSERT_TRUE(server.from_peer(box, as_bytes("check"), now));
  settle(relay.on_deadline(now));
  ASSERT_EQ(arrived.size(), 1U);
  ASSERT_TRUE(wire::channel_of(arrived[0].from));
  settle(relay.send(arrived[0].from, as_bytes("answer"), now));
  ASSERT_EQ(server.to_peers.size(), 1U);
  EXPECT_EQ(server.to_peers[0].to, box);
  EXPECT_THAT(relay.send(box, as_bytes("no channel"), now), IsEmpty());
}

TEST_F(RelayTest, IsGivenUpOnceADirectPathHasCarriedForAWhile) {
  connect_by_relay();
  ASSERT_TRUE(relay.relayed());
  settle(relay.on_path(*Endpoint::parse("198.51.100.2:4755"), now));
  run_until(now + Relay::kSettled - 1s);
  EXPECT_TRUE(server.allocated(now));
  run_until(now + 2s);
  EXPECT_FALSE(server.allocated(now));
  EXPECT_FALSE(relay.server());
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 1s);
  EXPECT_TRUE(server.allocated(now)) << "and asked again when that is lost";
}

TEST_F(RelayTest, StaysWhileItCarriesOrTheDirectPathDoesNotHold) {
  connect_by_relay();
  settle(relay.on_path(wire::channel_endpoint(0x4001), now));
  run_until(now + 30min);
  EXPECT_TRUE(server.allocated(now));
  settle(relay.on_path(*Endpoint::parse("198.51.100.2:4755"), now));
  run_until(now + 30s);
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 30min);
  EXPECT_TRUE(server.allocated(now));
}

TEST_F(RelayTest, AFailureIsToldInWords) {
  server.refuse(wire::kTurnAllocate, 486);
  connect_by_relay();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures[0], HasSubstr("quota"));
  EXPECT_FALSE(relay.relayed());
}

TEST_F(RelayTest, StopGivesItBack) {
  connect_by_relay();
  settle(relay.stop());
  EXPECT_FALSE(server.allocated(now));
  EXPECT_EQ(relay.next_deadline(), kNever);
}

TEST_F(RelayTest, TheAccountOfAFormerBoxIsNotUsedForAnother) {
  connect_by_relay();
  ASSERT_TRUE(relay.relayed());
  settle(relay.forget());
  EXPECT_FALSE(relay.has_account());
  EXPECT_FALSE(server.allocated(now));
  settle(relay.set_peers({box}, now));
  settle(relay.on_path(std::nullopt, now));
  sent_on_stream.clear();
  run_until(now + 1min);
  EXPECT_THAT(sent_on_stream, IsEmpty());
  give();
  run_until(now + 1s);
  EXPECT_TRUE(relay.relayed()) << "its own rendezvous gave another";
}

TEST_F(RelayTest, SaysWhy) {
  connect_by_relay();
  ASSERT_TRUE(server.from_peer({box.address, 61000}, as_bytes("check"), now));
  settle(relay.on_deadline(now));
  const Endpoint path = arrived.at(0).from;
  const Endpoint other{server.mapped.address, 7};
  EXPECT_EQ(relay.reason(path, other), "both NATs assign a port per destination");
  EXPECT_EQ(relay.reason(path, server.mapped), "the NAT at home assigns a port per destination");
  settle(relay.set_peers({box, {box.address, 61000}}, now));
  EXPECT_EQ(relay.reason(path, other), "the NAT of this network assigns a port per destination");
  EXPECT_EQ(relay.reason(path, server.mapped), "no direct way lets packets through");
  EXPECT_THAT(relay.reason(path, std::nullopt), HasSubstr("rendezvous"));
}

// ---- what the owners of both ends want ------------------------------------------------------------------

TEST_F(RelayTest, WhereItIsForbiddenItIsNotAsked) {
  settle(relay.set_policy(signalling::RelayPolicy::kNever, now));
  connect_by_relay();
  run_until(now + 1min);
  EXPECT_FALSE(relay.server());
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 0);
  settle(relay.set_policy(signalling::RelayPolicy::kAuto, now));
  run_until(now + 1s);
  EXPECT_TRUE(relay.relayed()) << "and it is, when that changes";
}

TEST_F(RelayTest, WhatIsForbiddenMeanwhileIsGivenBack) {
  connect_by_relay();
  ASSERT_TRUE(server.allocated(now));
  settle(relay.set_policy(signalling::RelayPolicy::kNever, now));
  EXPECT_FALSE(server.allocated(now));
  run_until(now + 1min);
  EXPECT_FALSE(server.allocated(now));
}

TEST_F(RelayTest, WhereItIsWantedItIsAskedAtOnce) {
  settle(relay.set_policy(signalling::RelayPolicy::kAlways, now));
  give();
  settle(relay.on_path(std::nullopt, now));
  EXPECT_EQ(relay.next_deadline(), now);
  run_until(now);
  EXPECT_TRUE(relay.relayed());
  EXPECT_EQ(relay.reason(wire::channel_endpoint(0x4001), server.mapped), "the settings want it");
}

// ---- where UDP is blocked --------------------------------------------------------------------------------

struct RelayStreamTest : RelayTest {
  RelayStreamTest() { account.servers = {{udp, TurnTransport::kUdp, "203.0.113.10"}, tls, tcp}; }
  void opened(bool open = true) {
    settle(relay.on_stream(connects.back().id, open, open ? "" : "refused", now));
  }
  // Until a stream is asked for.
  void search_without_udp() {
    deaf = true;
    give();
    settle(relay.set_peers({box}, now));
    settle(relay.on_path(std::nullopt, now));
    run_until(now + Relay::kPatience + RelayClient::kUdpPatience);
  }
};

TEST_F(RelayStreamTest, UdpIsTakenWhereItPasses) {
  connect_by_relay();
  run_until(now + 1min);
  EXPECT_EQ(relay.server(), udp);
  EXPECT_EQ(relay.transport(), TurnTransport::kUdp);
  EXPECT_TRUE(connects.empty());
}

TEST_F(RelayStreamTest, TheNextTransportIsAskedWhenTheFirstIsSilent) {
  search_without_udp();
  ASSERT_EQ(connects.size(), 1U);
  EXPECT_EQ(connects[0].server, tls);
  EXPECT_FALSE(relay.server()) << "nothing is sent before the stream is open";
  EXPECT_THAT(failures, testing::ElementsAre(HasSubstr("udp")));
  sent_on_stream.clear();
  opened();
  run_until(now + 1s);
  EXPECT_EQ(relay.relayed(), server.relayed);
  EXPECT_EQ(relay.server(), tls.endpoint);
  EXPECT_EQ(relay.transport(), TurnTransport::kTls);
  EXPECT_THAT(sent_on_stream, testing::Each(true));
  EXPECT_TRUE(server.from_peer(box, as_bytes("check"), now)) << "the box may speak to it";
  EXPECT_EQ(relay.reason(wire::channel_endpoint(0x4001), std::nullopt), "this network blocks UDP");
  EXPECT_THAT(relay.reason(wire::channel_endpoint(0x4001), server.mapped),
              HasSubstr("does not serve this device over UDP"));
}

TEST_F(RelayStreamTest, UdpThatIsKnownToPassGetsMoreTime) {
  relay.on_udp(true);
  search_without_udp();
  EXPECT_TRUE(connects.empty());
  run_until(now + RelayClient::kProvenUdpPatience);
  EXPECT_EQ(connects.size(), 1U);
}

TEST_F(RelayStreamTest, ATransportThatCannotConnectOrNeverDoesIsPassedOver) {
  search_without_udp();
  opened(false);
  ASSERT_EQ(connects.size(), 2U);
  EXPECT_EQ(connects[1].server, tcp);
  EXPECT_THAT(failures.back(), HasSubstr("refused"));
  run_until(now + RelayClient::kStreamPatience);
  EXPECT_THAT(failures.back(), HasSubstr("does not answer over tcp"));
  EXPECT_EQ(relay.next_deadline(), now + RelayClient::kFirstPause) << "then from the beginning";
  run_until(now + RelayClient::kFirstPause + RelayClient::kUdpPatience);
  ASSERT_EQ(connects.size(), 3U);
  EXPECT_EQ(connects[2].server, tls);
  EXPECT_NE(connects[2].id, connects[0].id);
}

TEST_F(RelayStreamTest, PausesGrow) {
  search_without_udp();
  Duration pause{};
  for (int round = 0; round < 8; ++round) {
    opened(false);
    opened(false);
    const Duration next = relay.next_deadline() - now;
    EXPECT_GE(next, pause);
    EXPECT_LE(next, RelayClient::kLastPause);
    pause = next;
    run_until(now + next + RelayClient::kUdpPatience);
  }
  EXPECT_EQ(pause, RelayClient::kLastPause);
}

TEST_F(RelayStreamTest, AStreamThatBreaksIsReplaced) {
  search_without_udp();
  opened();
  run_until(now + 1s);
  settle(relay.on_path(wire::channel_endpoint(0x4001), now));
  ASSERT_TRUE(relay.relayed());
  opened(false);
  EXPECT_FALSE(relay.relayed());
  ASSERT_EQ(connects.size(), 2U) << "the next one at once";
  opened();
  run_until(now + 1s);
  EXPECT_TRUE(relay.relayed());
}

TEST_F(RelayStreamTest, NewsOfAnOlderStreamAreIgnored) {
  search_without_udp();
  opened(false);
  EXPECT_THAT(relay.on_stream(connects[0].id, true, "", now), IsEmpty());
  EXPECT_THAT(relay.on_stream(connects[0].id, false, "late", now), IsEmpty());
  EXPECT_EQ(connects.size(), 2U);
}

TEST_F(RelayStreamTest, RequestsOnAStreamAreNotRepeated) {
  search_without_udp();
  sent_on_stream.clear();
  mute = true;
  opened();
  run_until(now + RelayClient::kStreamPatience - 1ms);
  EXPECT_EQ(sent_on_stream.size(), 1U);
  run_until(now + 1ms);
  EXPECT_EQ(connects.size(), 2U) << "what does not answer is left";
}

TEST_F(RelayStreamTest, ARelayThatRefusesIsLeftForTheNext) {
  server.refuse(wire::kTurnAllocate, 486);
  connect_by_relay();
  ASSERT_EQ(connects.size(), 1U);
  EXPECT_THAT(failures.at(0), HasSubstr("quota"));
}

TEST_F(RelayStreamTest, AnotherNetworkIsTriedFromTheBeginning) {
  search_without_udp();
  opened();
  run_until(now + 1s);
  ASSERT_TRUE(relay.relayed());
  deaf = false;
  settle(relay.on_network_change(now));
  run_until(now + 1s);
  EXPECT_EQ(relay.transport(), TurnTransport::kUdp);
  EXPECT_TRUE(relay.relayed());
}

TEST_F(RelayStreamTest, APathThroughItThatIsLostIsSoughtFromTheBeginning) {
  search_without_udp();
  opened();
  run_until(now + 1s);
  settle(relay.on_path(wire::channel_endpoint(0x4001), now));
  deaf = false;
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 1s);
  EXPECT_EQ(relay.transport(), TurnTransport::kUdp);
  EXPECT_TRUE(relay.relayed());
}

TEST_F(RelayTest, ARelayOfTheBoxMaySpeakToItAndIsTheReason) {
  const Endpoint box_relay = *Endpoint::parse("203.0.113.12:49200");
  give();
  settle(relay.set_box_relays({box_relay}, now));
  settle(relay.set_peers({box}, now));  // both stay
  settle(relay.on_path(std::nullopt, now));
  run_until(now + 1s);
  EXPECT_TRUE(server.from_peer(box, as_bytes("check"), now));
  ASSERT_TRUE(server.from_peer(box_relay, as_bytes("check"), now));
  settle(relay.on_deadline(now));
  EXPECT_EQ(relay.reason(arrived.at(1).from, server.mapped), "the home network blocks UDP");
  EXPECT_EQ(relay.reason(box_relay, server.mapped), "the home network blocks UDP")
      << "without an own one, too";
  EXPECT_NE(relay.reason(arrived.at(0).from, server.mapped), "the home network blocks UDP");
}

TEST_F(RelayStreamTest, WhereBothNetworksBlockUdpBothAreSaid) {
  const Endpoint box_relay = *Endpoint::parse("203.0.113.12:49200");
  settle(relay.set_box_relays({box_relay}, now));
  search_without_udp();
  opened();
  run_until(now + 1s);
  ASSERT_TRUE(server.from_peer(box_relay, as_bytes("check"), now));
  settle(relay.on_deadline(now));
  EXPECT_EQ(relay.reason(arrived.at(0).from, std::nullopt), "this network and the home network block UDP");
}

TEST_F(RelayStreamTest, NothingIsTriedAgainWhileADirectPathCarries) {
  search_without_udp();
  settle(relay.on_path(*Endpoint::parse("198.51.100.2:4755"), now));
  opened(false);
  opened(false);
  EXPECT_EQ(connects.size(), 2U);
  run_until(now + 10min);
  EXPECT_EQ(connects.size(), 2U);
  EXPECT_FALSE(relay.server());
}

}  // namespace
}  // namespace hearthcast::away
