#include "tunnelmgr/nat/relay_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/nat/fake_relay.hpp"

namespace hearthcast::nat {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;

// What it does when its owner has decided; the away client's rules have tests of their own, with the order of
// servers and transports.
struct RelayClientTest : testing::Test {
  void settle(RelayActions actions) {
    do {
      for (const auto& action : actions) {
        if (const auto* send = std::get_if<RelaySend>(&action)) {
          server.take(send->bytes, now);
        } else if (const auto* changed = std::get_if<RelayChanged>(&action)) {
          allocations += changed->allocated ? 1 : 0;
        } else if (const auto* connect = std::get_if<RelayConnect>(&action)) {
          connects.push_back(*connect);
        }
      }
      actions.clear();
      for (const auto& datagram : server.answers()) {
        if (const auto message = wire::decode_stun(datagram)) {
          const auto more = client.on_stun(datagram, *message, now);
          actions.insert(actions.end(), more.begin(), more.end());
        }
      }
    } while (!actions.empty());
  }
  void run_until(Time end) {
    while (client.next_deadline() <= end) {
      now = std::max(now, client.next_deadline());
      settle(client.on_deadline(now));
    }
    now = end;
  }
  void allocate() {
    settle(client.on_account(account, 48h, now));
    settle(client.begin(now));
  }

  FakeRelay server;
  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes hashes;
  secure::OpenSslRandom random;
  RelayClient client{crypto, hashes, random};
  const wire::TurnServer udp{*Endpoint::parse("203.0.113.10:3479"), wire::TurnTransport::kUdp,
                             "203.0.113.10"};
  const wire::TurnServer tls{*Endpoint::parse("203.0.113.11:443"), wire::TurnTransport::kTls,
                             "relay.example"};
  RelayAccount account{{udp}, server.username, server.password};
  const Endpoint one = *Endpoint::parse("192.0.2.7:50001");
  const Endpoint two = *Endpoint::parse("192.0.2.8:50002");
  Time now{1h};
  int allocations = 0;
  std::vector<RelayConnect> connects;
};

TEST_F(RelayClientTest, NothingIsAskedBeforeItsOwnerWantsIt) {
  settle(client.on_account(account, 48h, now));
  EXPECT_EQ(client.next_deadline(), kNever);
  EXPECT_FALSE(client.busy());
  settle(client.begin(now));
  EXPECT_EQ(client.relayed(), server.relayed);
  EXPECT_EQ(allocations, 1);
}

TEST_F(RelayClientTest, WithoutAGoodAccountNothingBegins) {
  EXPECT_THAT(client.begin(now), IsEmpty());
  settle(client.on_account(account, 1h, now));
  now += 2h;
  EXPECT_THAT(client.begin(now), IsEmpty());
  EXPECT_FALSE(client.busy());
}

TEST_F(RelayClientTest, ItSpeaksFirstToPeersThatAreCalled) {
  settle(client.permit({one, two}, now));
  allocate();
  const auto first = client.call(one, now);
  const auto second = client.call(two, now);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first, second) << "one does not give way to the other before it was answered";
  settle(client.send(*first, as_bytes("check"), now));
  settle(client.send(*second, as_bytes("check"), now));
  ASSERT_EQ(server.to_peers.size(), 2U);
  EXPECT_EQ(server.to_peers[0].to, one);
  EXPECT_EQ(server.to_peers[1].to, two);
  EXPECT_EQ(client.call(one, now), first);
  EXPECT_EQ(client.peer(*first), one);
  EXPECT_FALSE(client.peer(one));
}

TEST_F(RelayClientTest, NobodyIsCalledWithoutAnAllocationOfItsFamily) {
  EXPECT_FALSE(client.call(one, now));
  allocate();
  EXPECT_FALSE(client.call(*Endpoint::parse("[2001:db8::7]:50001"), now));
  EXPECT_TRUE(client.call(one, now));
}

TEST_F(RelayClientTest, BeginningAnewForgetsWhatThereWas) {
  allocate();
  server.allocation_until = now;
  settle(client.begin(now));
  EXPECT_EQ(allocations, 2);
  EXPECT_EQ(client.relayed(), server.relayed);
}

TEST_F(RelayClientTest, RoundsGoOnOnlyWhileItIsWanted) {
  account.servers = {tls};
  allocate();
  client.set_wanted(false);
  settle(client.on_stream(connects.back().id, false, "refused", now));
  EXPECT_EQ(client.next_deadline(), kNever);
  client.set_wanted(true);
  settle(client.begin(now));
  settle(client.on_stream(connects.back().id, false, "refused", now));
  EXPECT_NE(client.next_deadline(), kNever);
  client.set_wanted(false);
  EXPECT_EQ(client.next_deadline(), kNever) << "nor is what was planned";
}

}  // namespace
}  // namespace hearthcast::nat
