// A TURN client against a relay that keeps time as RFC 8656 says, hour after hour of it, and against one that
// refuses.
#include "tunnelmgr/nat/turn_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/nat/fake_relay.hpp"

namespace hearthcast::nat {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

struct TurnClientTest : testing::Test {
  // Does what the client wants, and gives it what the relay answers, until both are silent.
  void settle(TurnActions actions) {
    while (!actions.empty()) {
      for (const auto& action : actions) {
        if (const auto* send = std::get_if<TurnSend>(&action)) {
          if (reachable) {
            relay.take(send->bytes, now);
          }
        } else if (const auto* allocated = std::get_if<TurnAllocated>(&action)) {
          allocations.push_back(*allocated);
        } else if (const auto* received = std::get_if<TurnReceived>(&action)) {
          arrived.push_back(*received);
        } else if (const auto* lost = std::get_if<TurnLost>(&action)) {
          losses.push_back(lost->reason);
        } else {
          ++redirections;
        }
      }
      actions = deliver();
    }
  }
  TurnActions deliver() {
    TurnActions out;
    for (const auto& datagram : relay.answers()) {
      if (const auto data = wire::decode_channel_data(datagram)) {
        arrived.push_back({data->channel, Buffer(data->payload.begin(), data->payload.end())});
      } else {
        const auto more = client.on_stun(datagram, *wire::decode_stun(datagram), now);
        out.insert(out.end(), more.begin(), more.end());
      }
    }
    return out;
  }
  void start() { settle(client.start(account, now)); }
  void run_until(Time end) {
    while (client.next_deadline() <= end) {
      now = std::max(now, client.next_deadline());
      settle(client.on_deadline(now));
    }
    now = end;
  }
  void peer_says(const Endpoint& from, std::string_view text) {
    EXPECT_TRUE(relay.from_peer(from, as_bytes(text), now));
    settle(deliver());
  }

  FakeRelay relay;
  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes hashes;
  secure::OpenSslRandom random;
  TurnClient client{crypto, hashes, random};
  TurnAccount account{*Endpoint::parse("203.0.113.10:3479"), relay.username, relay.password};
  Endpoint box = *Endpoint::parse("198.51.100.2:50123");
  bool reachable = true;
  Time now{1h};
  std::vector<TurnAllocated> allocations;
  std::vector<TurnReceived> arrived;
  std::vector<std::string> losses;
  int redirections = 0;
};

TEST_F(TurnClientTest, IsQuietUntilItIsStarted) {
  EXPECT_EQ(client.next_deadline(), kNever);
  EXPECT_THAT(client.on_deadline(now), IsEmpty());
  EXPECT_THAT(client.permit({box.address}, now), IsEmpty());
  EXPECT_THAT(client.on_network_change(now), IsEmpty());
  EXPECT_FALSE(client.active());
}

TEST_F(TurnClientTest, AnswersTheChallengeAndGetsItsAddress) {
  start();
  ASSERT_EQ(allocations.size(), 1U);
  EXPECT_EQ(allocations[0].relayed, relay.relayed);
  EXPECT_EQ(allocations[0].mapped, relay.mapped);
  EXPECT_EQ(client.allocation()->relayed, relay.relayed);
  EXPECT_EQ(client.counters().requests, 2U) << "one without credentials, one with";
}

TEST_F(TurnClientTest, UsesTheNewIntegrityWhereTheRelayHasIt) {
  relay.algorithms = {wire::kPasswordSha256, wire::kPasswordMd5};
  start();
  EXPECT_EQ(allocations.size(), 1U);
}

TEST_F(TurnClientTest, PermissionsNamedBeforeAndAfterAreAskedFor) {
  settle(client.permit({box.address}, now));
  start();
  EXPECT_EQ(relay.seen[wire::kTurnCreatePermission], 1);
  settle(client.permit({box.address, IpAddress::ip4(0xc6336403)}, now));
  EXPECT_EQ(relay.seen[wire::kTurnCreatePermission], 2) << "the first is there already";
}

TEST_F(TurnClientTest, ARelayOfBothFamiliesGivesAnAddressOfEach) {
  relay.relayed6 = *Endpoint::parse("[2001:db8:c0de::10]:50002");
  const Endpoint box6 = *Endpoint::parse("[2001:db8:99::10]:4755");
  settle(client.permit({box.address, box6.address}, now));
  start();
  ASSERT_EQ(allocations.size(), 1U);
  EXPECT_EQ(allocations[0].relayed, relay.relayed);
  EXPECT_EQ(allocations[0].relayed6, relay.relayed6);
  EXPECT_EQ(relay.seen[wire::kTurnCreatePermission], 2);
  peer_says(box6, "check");
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(client.peer(arrived[0].channel), box6);
  settle(client.send(arrived[0].channel, as_bytes("answer"), now));
  EXPECT_TRUE(client.bound(arrived[0].channel));
  settle(client.send(arrived[0].channel, as_bytes("media"), now));
  ASSERT_EQ(relay.to_peers.size(), 2U);
  EXPECT_EQ(relay.to_peers[1].to, box6);
  run_until(now + 24h);
  peer_says(box6, "still there");
  EXPECT_TRUE(losses.empty());
}

TEST_F(TurnClientTest, ARelayOfOneFamilyIsNotAskedForTheOther) {
  const IpAddress box6 = *IpAddress::parse("2001:db8:99::10");
  settle(client.permit({box.address, box6}, now));
  start();
  ASSERT_EQ(allocations.size(), 1U);
  EXPECT_FALSE(allocations[0].relayed6);
  EXPECT_EQ(relay.seen[wire::kTurnCreatePermission], 1);
  EXPECT_GT(client.next_deadline(), now) << "nothing is left to do at once";
  run_until(now + 1h);
  EXPECT_EQ(client.counters().refused_peers, 0U);
  peer_says(box, "still there");
  // The next allocation may have both.
  relay.relayed6 = *Endpoint::parse("[2001:db8:c0de::10]:50002");
  relay.allocation_until = now;
  settle(client.on_network_change(now));
  EXPECT_EQ(allocations.back().relayed6, relay.relayed6);
  EXPECT_TRUE(relay.from_peer({box6, 4755}, as_bytes("check"), now));
}

TEST_F(TurnClientTest, ARelayThatTakesTheWishForBothAmissIsAskedForOne) {
  relay.relayed6 = *Endpoint::parse("[2001:db8:c0de::10]:50002");
  relay.refuse(wire::kTurnAllocate, 400);
  start();
  ASSERT_EQ(allocations.size(), 1U);
  EXPECT_FALSE(allocations[0].relayed6);
  EXPECT_TRUE(losses.empty());
  relay.allocation_until = now;
  relay.refuse(wire::kTurnAllocate, 400);
  settle(client.on_network_change(now));
  EXPECT_EQ(allocations.size(), 2U);
  EXPECT_EQ(client.counters().requests, 5U) << "a challenge, and twice two";
}

TEST_F(TurnClientTest, AnAdditionalAddressThatIsNoneOfIp6IsPassedOver) {
  relay.relayed = *Endpoint::parse("[2001:db8:c0de::10]:50002");
  relay.relayed6 = *Endpoint::parse("203.0.113.10:50000");
  start();
  ASSERT_EQ(allocations.size(), 1U);
  EXPECT_FALSE(allocations[0].relayed6);
}

TEST_F(TurnClientTest, PeersThatAreNotNamedAnyMoreExpire) {
  settle(client.permit({box.address}, now));
  start();
  settle(client.permit({}, now));
  run_until(now + 301s);
  EXPECT_FALSE(relay.from_peer(box, as_bytes("late"), now));
}

TEST_F(TurnClientTest, APeersFirstWordGivesItAChannelAndTheAnswerBindsIt) {
  settle(client.permit({box.address}, now));
  start();
  peer_says(box, "check");
  ASSERT_EQ(arrived.size(), 1U);
  const auto channel = arrived[0].channel;
  EXPECT_EQ(client.peer(channel), box);
  EXPECT_FALSE(client.bound(channel));
  EXPECT_EQ(relay.seen[wire::kTurnChannelBind], 0) << "whoever is not answered costs the relay nothing";
  settle(client.send(channel, as_bytes("answer"), now));
  ASSERT_EQ(relay.to_peers.size(), 1U);
  EXPECT_EQ(relay.to_peers[0].to, box);
  EXPECT_EQ(as_text(relay.to_peers[0].bytes), "answer");
  EXPECT_TRUE(client.bound(channel));
  settle(client.send(channel, as_bytes("again"), now));
  EXPECT_EQ(as_text(relay.to_peers.at(1).bytes), "again");
  peer_says(box, "by channel");
  EXPECT_EQ(arrived.at(1).channel, channel);
  EXPECT_EQ(relay.dropped, 0);
}

TEST_F(TurnClientTest, AFirstDatagramThatGoesOutBeforeTheChannelIsThereArrives) {
  start();
  const auto channel = client.channel(box, now);
  const auto out = client.send(channel, as_bytes("first"), now);
  ASSERT_EQ(out.size(), 2U);  // the bind goes first: it brings the permission that the indication needs
  EXPECT_EQ(wire::decode_stun(std::get<TurnSend>(out[0]).bytes)->method, wire::kTurnChannelBind);
  settle(out);
  EXPECT_EQ(relay.to_peers.size(), 1U);
}

TEST_F(TurnClientTest, StrangersBehindAPermittedAddressShareOneNumber) {
  settle(client.permit({box.address}, now));
  start();
  peer_says(box, "the box");
  settle(client.send(arrived.back().channel, as_bytes("yes"), now));
  const auto channel = arrived.back().channel;
  for (std::uint16_t port = 1; port < 500; ++port) {
    peer_says({box.address, port}, "noise");
  }
  EXPECT_EQ(client.peer(channel), box);
  peer_says(box, "still there");
  EXPECT_EQ(arrived.back().channel, channel);
}

TEST_F(TurnClientTest, AsManyPeersAsAnAgentHasPairsAndTheOldestGivesWay) {
  settle(client.permit({box.address}, now));
  start();
  for (std::uint16_t port = 1; port <= TurnClient::kMaxChannels + 1; ++port) {
    now += 1s;
    settle(client.send(client.channel({box.address, port}, now), as_bytes("x"), now));
  }
  std::size_t known = 0;
  for (std::uint16_t number = wire::kFirstChannel; number <= wire::kLastChannel; ++number) {
    known += client.peer(number) ? 1U : 0U;
  }
  EXPECT_EQ(known, TurnClient::kMaxChannels);
  EXPECT_EQ(relay.dropped, 0);
}

// ---- time ----------------------------------------------------------------------------------------------

TEST_F(TurnClientTest, LivesForDaysWithoutAGap) {
  settle(client.permit({box.address}, now));
  start();
  peer_says(box, "hello");
  const auto channel = arrived.back().channel;
  settle(client.send(channel, as_bytes("hello"), now));
  const Time end = now + 72h;
  std::size_t sent = 1;
  while (now < end) {
    run_until(now + 50s);
    settle(client.send(channel, as_bytes("media"), now));
    ++sent;
    ASSERT_TRUE(relay.from_peer(box, as_bytes("media"), now)) << (now - Time{1h}) / 1s << " s";
    settle(deliver());
    ASSERT_EQ(arrived.back().channel, channel);
  }
  EXPECT_EQ(relay.to_peers.size(), sent);
  EXPECT_EQ(relay.dropped, 0);
  EXPECT_THAT(losses, IsEmpty());
  EXPECT_EQ(allocations.size(), 1U);
  EXPECT_GE(client.counters().stale_nonces, 71U) << "a nonce an hour, and each was noticed";
  EXPECT_LE(relay.seen[wire::kTurnRefresh], 72 * 60 / 8) << "no more than needed";
}

TEST_F(TurnClientTest, AnIdleOneKeepsTheMappingOfItsNatOpen) {
  start();
  run_until(now + 10min);
  EXPECT_GE(relay.keepalives, 20);
  EXPECT_LE(relay.keepalives, 30);
}

TEST_F(TurnClientTest, RepeatsAtDoublingTimesAndSaysThatNobodyAnswers) {
  reachable = false;
  const Time begin = now;
  start();
  std::vector<Duration> times;
  while (losses.empty()) {
    now = client.next_deadline();
    times.push_back(now - begin);
    settle(client.on_deadline(now));
  }
  EXPECT_EQ(times.at(0), 500ms);
  EXPECT_EQ(times.at(1), 1500ms);
  EXPECT_EQ(times.at(2), 3500ms);
  EXPECT_EQ(times.at(5), 31'500ms);
  EXPECT_EQ(times.back(), 39'500ms) << "not twice as long once more: RFC 8489 section 6.2.1";
  EXPECT_EQ(client.counters().requests, 7U);
  EXPECT_THAT(losses[0], HasSubstr("does not answer"));
  reachable = true;
  run_until(now + 10s);
  EXPECT_EQ(allocations.size(), 1U) << "it tries again by itself";
}

TEST_F(TurnClientTest, ARelayThatRestartsIsNoticedAndAskedAnew) {
  settle(client.permit({box.address}, now));
  start();
  relay.allocation_until = {};  // it has forgotten us
  run_until(now + 11min);
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_EQ(allocations.size(), 2U);
  EXPECT_TRUE(relay.from_peer(box, as_bytes("hello"), now)) << "with the permission";
}

TEST_F(TurnClientTest, WaitsEverLongerForARelayThatIsAway) {
  reachable = false;
  start();
  run_until(now + 24h);
  EXPECT_GE(losses.size(), 24U * 60 / 8);
  EXPECT_LE(losses.size(), 24U * 60 / 4);
}

// ---- refusals ------------------------------------------------------------------------------------------

TEST_F(TurnClientTest, RefusalsAreReadableAndWaitedOut) {
  const std::pair<std::uint16_t, const char*> table[] = {
      {486, "quota"}, {508, "full"}, {442, "442"}, {403, "forbids"}};
  for (const auto& [code, words] : table) {
    relay.refuse(wire::kTurnAllocate, code);
    start();
    ASSERT_FALSE(losses.empty());
    EXPECT_THAT(losses.back(), HasSubstr(words));
    EXPECT_GE(client.next_deadline(), now + 1min) << "RFC 8656 section 7.4";
    EXPECT_EQ(client.last_error(), losses.back());
    run_until(client.next_deadline());
    EXPECT_TRUE(client.allocation());
    settle(client.stop());
  }
}

TEST_F(TurnClientTest, WrongCredentialsAreNotTriedForEver) {
  account.password = "guess";
  start();
  ASSERT_EQ(losses.size(), 1U);
  EXPECT_THAT(losses[0], HasSubstr("credentials"));
  EXPECT_EQ(client.counters().requests, 2U);
  account.password = relay.password;
  start();  // the rendezvous gave others
  EXPECT_EQ(allocations.size(), 1U);
}

TEST_F(TurnClientTest, AForbiddenPeerIsNotAskedForAgain) {
  relay.forbidden = {box.address};
  settle(client.permit({box.address}, now));
  start();
  EXPECT_EQ(client.counters().refused_peers, 1U);
  const auto before = client.counters().requests;
  run_until(now + 8min);
  EXPECT_EQ(client.counters().requests, before);
  EXPECT_THAT(losses, IsEmpty()) << "the allocation is not to blame";
}

TEST_F(TurnClientTest, AnAllocationOfAFormerRunIsGivenBackFirst) {
  start();
  TurnClient again(crypto, hashes, random);
  TurnActions actions = again.start(account, now);
  bool allocated = false;
  while (!actions.empty()) {
    TurnActions next;
    for (const auto& action : actions) {
      if (const auto* send = std::get_if<TurnSend>(&action)) {
        relay.take(send->bytes, now);
      }
      allocated |= std::holds_alternative<TurnAllocated>(action);
    }
    for (const auto& datagram : relay.answers()) {
      const auto more = again.on_stun(datagram, *wire::decode_stun(datagram), now);
      next.insert(next.end(), more.begin(), more.end());
    }
    actions = std::move(next);
  }
  EXPECT_TRUE(allocated);
}

TEST_F(TurnClientTest, ARelayThatKeepsForAWhileWhatWasGivenBackIsAskedSoonAgain) {
  relay.buried = 1s;
  relay.allocation_until = now + 10min;
  start();
  EXPECT_TRUE(allocations.empty());
  ASSERT_EQ(losses.size(), 1U);
  run_until(now + 2s);
  EXPECT_EQ(allocations.size(), 1U);
  EXPECT_EQ(losses.size(), 1U);
}

TEST_F(TurnClientTest, FollowsARedirectionButNotForEver) {
  relay.alternate = Endpoint::parse("203.0.113.11:3479");
  relay.refuse(wire::kTurnAllocate, 300);
  start();
  EXPECT_EQ(redirections, 1);
  EXPECT_EQ(client.server(), *relay.alternate);
  EXPECT_EQ(allocations.size(), 1U);
  settle(client.stop());
  for (const auto* nowhere : {"127.0.0.1:3479", "224.0.0.1:3479", "203.0.113.11:0", "[2001:db8::1]:3479"}) {
    relay.alternate = Endpoint::parse(nowhere);
    relay.refuse(wire::kTurnAllocate, 300);
    losses.clear();
    start();
    EXPECT_EQ(losses.size(), 1U) << nowhere;
    settle(client.stop());
  }
}

TEST_F(TurnClientTest, AServerThatAlwaysAsksAgainIsGivenUp) {
  relay.nonce_lifetime = std::chrono::seconds{1};
  TurnActions actions = client.start(account, now);
  for (int turn = 0; turn < 20 && losses.empty(); ++turn) {
    now += 1s;  // every answer comes too late for its nonce
    TurnActions next;
    for (const auto& action : actions) {
      if (const auto* send = std::get_if<TurnSend>(&action)) {
        relay.take(send->bytes, now);
      } else if (const auto* lost = std::get_if<TurnLost>(&action)) {
        losses.push_back(lost->reason);
      }
    }
    now += 1s;
    for (const auto& datagram : relay.answers()) {
      const auto more = client.on_stun(datagram, *wire::decode_stun(datagram), now);
      next.insert(next.end(), more.begin(), more.end());
    }
    actions = std::move(next);
  }
  EXPECT_EQ(losses.size(), 1U);
  EXPECT_LE(client.counters().requests, 6U);
}

TEST_F(TurnClientTest, ForgedAnswersAreCountedAndChangeNothing) {
  const auto out = client.start(account, now);
  const auto request = wire::decode_stun(std::get<TurnSend>(out.at(0)).bytes);
  wire::StunMessage forged;
  forged.message_class = wire::StunClass::kSuccess;
  forged.method = wire::kTurnAllocate;
  forged.transaction = request->transaction;
  forged.xor_relayed_address = box;
  forged.xor_mapped_address = box;
  for (const Buffer& datagram :
       {wire::encode_stun(forged), wire::encode_stun(forged, crypto, as_bytes("guess"))}) {
    EXPECT_THAT(client.on_stun(datagram, *wire::decode_stun(datagram), now), IsEmpty());
  }
  forged.transaction[0] ^= 1;
  const Buffer stray = wire::encode_stun(forged);
  EXPECT_THAT(client.on_stun(stray, *wire::decode_stun(stray), now), IsEmpty());
  EXPECT_EQ(client.counters().bad_answers, 3U);
  settle(out);
  EXPECT_EQ(client.allocation()->relayed, relay.relayed);
}

TEST_F(TurnClientTest, StopGivesTheAllocationBack) {
  start();
  ASSERT_TRUE(relay.allocated(now));
  settle(client.stop());
  EXPECT_FALSE(relay.allocated(now));
  EXPECT_EQ(client.next_deadline(), kNever);
  EXPECT_THAT(client.send(client.channel(box, now), as_bytes("x"), now), IsEmpty());
}

TEST_F(TurnClientTest, AnotherAddressOfThisEndBeginsAnew) {
  settle(client.permit({box.address}, now));
  start();
  relay.allocation_until = {};  // it sees another client
  settle(client.on_network_change(now));
  EXPECT_EQ(allocations.size(), 2U);
  EXPECT_TRUE(relay.from_peer(box, as_bytes("hello"), now));
}

TEST_F(TurnClientTest, AFreshAccountLeavesARunningAllocationAlone) {
  start();
  const auto before = client.counters().requests;
  account.username = "1900000000:device";
  EXPECT_THAT(client.start(account, now), IsEmpty());
  run_until(now + 30min);
  EXPECT_THAT(losses, IsEmpty());
  EXPECT_GT(client.counters().requests, before) << "refreshed under the name that it was made by";
  relay.username = account.username;
  relay.allocation_until = {};
  run_until(now + 30min);
  EXPECT_EQ(allocations.size(), 2U) << "and the next one is made by the new name";
}

TEST_F(TurnClientTest, EveryPrefixOfAnAnswerIsHarmless) {
  const auto out = client.start(account, now);
  relay.take(std::get<TurnSend>(out.at(0)).bytes, now);
  const Buffer whole = relay.answers().at(0);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(wire::decode_stun(Bytes(whole).first(size)));
  }
  settle(client.on_stun(whole, *wire::decode_stun(whole), now));
  EXPECT_TRUE(client.allocation());
}

}  // namespace
}  // namespace hearthcast::nat
