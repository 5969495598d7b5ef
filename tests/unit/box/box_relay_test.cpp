#include "appliance/app/box_relay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/nat/fake_relay.hpp"

namespace hearthcast::app {
namespace {

using namespace std::chrono_literals;
using nat::CandidateType;
using signalling::RelayPolicy;
using testing::ElementsAre;
using testing::IsEmpty;

struct BoxRelayTest : testing::Test {
  void settle(nat::RelayActions actions) {
    do {
      for (const auto& action : actions) {
        if (const auto* send = std::get_if<nat::RelaySend>(&action)) {
          if (send->on_stream) {
            server.take(send->bytes, now);
          }
        } else if (const auto* connect = std::get_if<nat::RelayConnect>(&action)) {
          connects.push_back(*connect);
        } else if (const auto* came = std::get_if<nat::RelayArrived>(&action)) {
          arrived.push_back(*came);
        }
      }
      actions.clear();
      for (const auto& datagram : server.answers()) {
        if (const auto message = wire::decode_stun(datagram)) {
          const auto more = relay->held().on_stun(datagram, *message, now);
          actions.insert(actions.end(), more.begin(), more.end());
        }
      }
    } while (!actions.empty());
  }
  void run_until(Time end) {
    while (relay->next_deadline() <= end) {
      now = std::max(now, relay->next_deadline());
      settle(relay->on_deadline(in_use, now));
    }
    now = end;
  }
  void make(RelayPolicy policy) {
    relay.emplace(crypto, hashes, random, policy);
    settle(relay->on_account(account, 48h, now));
  }
  // UDP does not pass; the relay answers over TLS.
  void block() {
    settle(relay->on_udp(false, now));
    run_until(now + nat::RelayClient::kUdpPatience);
    ASSERT_FALSE(connects.empty());
    settle(relay->held().on_stream(connects.back().id, true, "", now));
  }

  nat::FakeRelay server;
  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes hashes;
  secure::OpenSslRandom random;
  nat::RelayAccount account{
      {{*Endpoint::parse("203.0.113.10:3479"), wire::TurnTransport::kUdp, "203.0.113.10"},
       {*Endpoint::parse("203.0.113.11:443"), wire::TurnTransport::kTls, "relay.example"}},
      server.username,
      server.password};
  const Endpoint laptop = *Endpoint::parse("192.0.2.2:50001");
  const Endpoint laptop_relay = *Endpoint::parse("203.0.113.10:50002");
  const IdentityId device{};
  std::optional<BoxRelay> relay;
  std::vector<nat::RelayConnect> connects;
  std::vector<nat::RelayArrived> arrived;
  bool in_use = false;
  Time now{1h};
};

TEST_F(BoxRelayTest, WhereUdpPassesNothingIsEverAsked) {
  make(RelayPolicy::kAuto);
  settle(relay->on_udp(true, now));
  settle(relay->on_introduced(device, {{CandidateType::kServerReflexive, laptop}}, now));
  settle(relay->on_network_change(now));
  run_until(now + 24h);
  EXPECT_EQ(server.seen[wire::kTurnAllocate], 0);
  EXPECT_THAT(relay->candidates(), IsEmpty());
  EXPECT_FALSE(relay->needed());
}

TEST_F(BoxRelayTest, WhereItDoesNotAnAllocationIsHeldOnAStream) {
  make(RelayPolicy::kAuto);
  block();
  ASSERT_EQ(connects.size(), 1U);
  EXPECT_THAT(relay->candidates(), ElementsAre(nat::Candidate{CandidateType::kRelayed, server.relayed}));
  EXPECT_EQ(relay->reason(), "the home network blocks UDP");
  run_until(now + 24h);
  EXPECT_TRUE(server.allocated(now)) << "for as long as it takes";
}

TEST_F(BoxRelayTest, AnAccountThatComesLaterIsUsedAtOnce) {
  relay.emplace(crypto, hashes, random, RelayPolicy::kAuto);
  settle(relay->on_udp(false, now));
  run_until(now + 10min);
  EXPECT_THAT(connects, IsEmpty());
  settle(relay->on_account(account, 48h, now));
  run_until(now + nat::RelayClient::kUdpPatience);
  EXPECT_EQ(connects.size(), 1U);
}

TEST_F(BoxRelayTest, ItIsGivenBackOnceUdpPassesAndNoDeviceNeedsIt) {
  make(RelayPolicy::kAuto);
  block();
  in_use = true;
  settle(relay->on_udp(true, now));
  EXPECT_THAT(relay->candidates(), IsEmpty()) << "nobody is led there any more";
  run_until(now + 10min);
  EXPECT_TRUE(server.allocated(now)) << "a device still watches by it";
  in_use = false;
  run_until(now + BoxRelay::kSettled);
  EXPECT_FALSE(server.allocated(now));
  EXPECT_EQ(relay->next_deadline(), kNever);
}

TEST_F(BoxRelayTest, UdpThatIsBlockedAgainKeepsIt) {
  make(RelayPolicy::kAuto);
  block();
  settle(relay->on_udp(true, now));
  run_until(now + BoxRelay::kSettled - 1s);
  settle(relay->on_udp(false, now));
  run_until(now + 1h);
  EXPECT_TRUE(server.allocated(now));
  EXPECT_EQ(connects.size(), 1U);
}

TEST_F(BoxRelayTest, WhereTheOwnerForbidsItNothingIsAsked) {
  make(RelayPolicy::kNever);
  settle(relay->on_udp(false, now));
  settle(relay->on_account(account, 48h, now));
  run_until(now + 10min);
  EXPECT_THAT(connects, IsEmpty());
  EXPECT_TRUE(relay->needed());
}

TEST_F(BoxRelayTest, OnlyIntroducedDevicesMaySpeakToIt) {
  make(RelayPolicy::kAuto);
  block();
  EXPECT_FALSE(server.from_peer(laptop, as_bytes("check"), now));
  settle(relay->on_introduced(device,
                              {{CandidateType::kHost, *Endpoint::parse("192.168.7.2:4755")},
                               {CandidateType::kServerReflexive, laptop}},
                              now));
  EXPECT_EQ(server.seen[wire::kTurnCreatePermission], 1) << "private addresses are of no use there";
  ASSERT_TRUE(server.from_peer(laptop, as_bytes("check"), now));
  settle(relay->on_deadline(false, now));
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(relay->held().peer(arrived[0].from), laptop);
}

TEST_F(BoxRelayTest, DevicesThatWereIntroducedBeforeTheAllocationMaySpeakToItToo) {
  make(RelayPolicy::kAuto);
  settle(relay->on_introduced(device, {{CandidateType::kServerReflexive, laptop}}, now));
  block();
  EXPECT_TRUE(server.from_peer(laptop, as_bytes("check"), now));
}

TEST_F(BoxRelayTest, OneDeviceCannotCrowdOutTheOthers) {
  make(RelayPolicy::kAuto);
  block();
  settle(relay->on_introduced(device, {{CandidateType::kServerReflexive, laptop}}, now));
  std::vector<nat::Candidate> many{{CandidateType::kRelayed, laptop_relay}};
  for (std::uint32_t n = 1; n < 100; ++n) {
    many.insert(many.begin(), {CandidateType::kServerReflexive, {IpAddress::ip4(0xcb007100 + n), 4755}});
  }
  for (int again = 0; again < 20; ++again) {
    settle(relay->on_introduced(IdentityId{{1}}, many, now));
  }
  EXPECT_TRUE(server.from_peer(laptop, as_bytes("check"), now));
  EXPECT_LE(server.seen[wire::kTurnCreatePermission], 1 + static_cast<int>(BoxRelay::kMaxGuestAddresses));
}

TEST_F(BoxRelayTest, ADeviceBehindARelayIsCalledFromBehindThisOne) {
  make(RelayPolicy::kAuto);
  const std::vector<nat::Candidate> offered{{CandidateType::kServerReflexive, laptop},
                                            {CandidateType::kRelayed, laptop_relay}};
  EXPECT_THAT(relay->beyond(offered, now), IsEmpty()) << "there is none yet";
  block();
  settle(relay->on_introduced(device, offered, now));
  const auto beyond = relay->beyond(offered, now);
  ASSERT_EQ(beyond.size(), 1U);
  EXPECT_EQ(beyond[0].type, CandidateType::kRelayed);
  settle(relay->held().send(beyond[0].endpoint, as_bytes("check"), now));
  ASSERT_EQ(server.to_peers.size(), 1U);
  EXPECT_EQ(server.to_peers[0].to, laptop_relay);
}

TEST_F(BoxRelayTest, AnotherNetworkIsTriedFromTheBeginning) {
  make(RelayPolicy::kAuto);
  block();
  settle(relay->on_network_change(now));
  run_until(now + nat::RelayClient::kUdpPatience);
  EXPECT_EQ(connects.size(), 2U);
}

TEST_F(BoxRelayTest, ARelayThatAnswersOverUdpSaysThatItIsTheRendezvous) {
  account.servers.pop_back();
  make(RelayPolicy::kAuto);
  settle(relay->on_udp(false, now));
  EXPECT_EQ(relay->reason(), "the rendezvous does not answer the box over UDP");
}

}  // namespace
}  // namespace hearthcast::app
