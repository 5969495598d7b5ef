#include "tunnelmgr/trace/client.hpp"

#include <gtest/gtest.h>

namespace hearthcast::trace {
namespace {

using namespace std::chrono_literals;
using wire::Mtrace2Code;
using wire::Mtrace2Message;
using wire::Mtrace2Type;

const Time t0 = Time{} + 100s;
IpAddress ip(const char* text) { return *IpAddress::parse(text); }
const Query kQuery{ip("239.1.1.1"), ip("10.64.0.10"), ip("192.168.1.1"), {ip("192.168.1.20"), 40000}};

wire::Mtrace2Response hop(const char* incoming, const char* upstream,
                          Mtrace2Code code = Mtrace2Code::kNoError) {
  wire::Mtrace2Response r;
  r.incoming = ip(incoming);
  r.outgoing = ip(incoming);
  r.upstream = ip(upstream);
  r.code = code;
  return r;
}

const auto kFirst = hop("10.0.0.2", "10.0.0.1");
const auto kSecond = hop("10.1.0.2", "10.1.0.1");
const auto kLast = hop("10.64.0.1", "0.0.0.0");

// What a network answers to a query: so many of these routers, as far as its hops go.
Buffer answer(const SendQuery& query, std::vector<wire::Mtrace2Response> routers) {
  Mtrace2Message message = *wire::decode_mtrace2(query.datagram);
  message.type = Mtrace2Type::kReply;
  routers.resize(std::min<std::size_t>(routers.size(), message.hops));
  message.blocks.assign(routers.begin(), routers.end());
  return wire::encode_mtrace2(message);
}

TEST(TraceClient, AsksTheRouterAtOnce) {
  Client client(kQuery, {}, 7, t0);
  EXPECT_EQ(client.next_deadline(), t0);
  const auto sent = client.on_deadline(t0);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, (Endpoint{ip("192.168.1.1"), 33435}));
  const auto query = wire::decode_mtrace2(sent->datagram).value();
  EXPECT_EQ(
      query,
      (Mtrace2Message{
          Mtrace2Type::kQuery, 32, ip("239.1.1.1"), ip("10.64.0.10"), ip("192.168.1.20"), 7, 40000, {}}));
  EXPECT_EQ(client.next_deadline(), t0 + 2s);
  EXPECT_FALSE(client.on_deadline(t0 + 1s)) << "before its time";
}

TEST(TraceClient, TellsTheWholePathOfOneReply) {
  Client client(kQuery, {}, 7, t0);
  const auto sent = client.on_deadline(t0);
  EXPECT_FALSE(client.on_datagram(answer(*sent, {kFirst, kSecond, kLast}), t0 + 12ms));
  ASSERT_TRUE(client.outcome());
  EXPECT_EQ(client.outcome()->ending, Ending::kReached);
  EXPECT_EQ(client.outcome()->path, (std::vector{kFirst, kSecond, kLast}));
  EXPECT_EQ(client.outcome()->round_trip, 12ms);
  EXPECT_FALSE(client.outcome()->hop_by_hop);
  EXPECT_EQ(client.next_deadline(), kNever);
}

TEST(TraceClient, TheSourceAsUpstreamRouterIsTheEndToo) {
  Client client(kQuery, {}, 7, t0);
  const auto sent = client.on_deadline(t0);
  (void)client.on_datagram(answer(*sent, {hop("10.64.0.1", "10.64.0.10")}), t0);
  ASSERT_TRUE(client.outcome());
  EXPECT_EQ(client.outcome()->ending, Ending::kReached);
}

TEST(TraceClient, ARouterThatCannotGoOnStopsTheTrace) {
  for (const auto code : {Mtrace2Code::kNotForwarding, Mtrace2Code::kNoRoute, Mtrace2Code::kWrongLastHop,
                          Mtrace2Code::kAdminProhibited}) {
    Client client(kQuery, {}, 7, t0);
    const auto sent = client.on_deadline(t0);
    (void)client.on_datagram(answer(*sent, {kFirst, hop("10.1.0.2", "0.0.0.0", code)}), t0);
    ASSERT_TRUE(client.outcome());
    EXPECT_EQ(client.outcome()->ending, Ending::kStopped) << wire::describe(code);
    EXPECT_EQ(client.outcome()->path.back().code, code);
  }
}

TEST(TraceClient, ARouterThatKnowsTheNextButDoesNotAskItStopsTheTrace) {
  Client client(kQuery, {}, 7, t0);
  const auto sent = client.on_deadline(t0);
  (void)client.on_datagram(answer(*sent, {kFirst}), t0);
  ASSERT_TRUE(client.outcome());
  EXPECT_EQ(client.outcome()->ending, Ending::kStopped);
}

TEST(TraceClient, ReachingTheRendezvousPointIsAnEnd) {
  Client client(kQuery, {}, 7, t0);
  const auto sent = client.on_deadline(t0);
  (void)client.on_datagram(answer(*sent, {kFirst, hop("10.1.0.2", "10.1.0.1", Mtrace2Code::kReachedRp)}), t0);
  ASSERT_TRUE(client.outcome());
  EXPECT_EQ(client.outcome()->ending, Ending::kReached);
}

TEST(TraceClient, FindsTheSilentRouterHopByHop) {
  Client client(kQuery, {}, 7, t0);
  Time now = t0;
  std::vector<int> asked;
  while (!client.outcome()) {
    now = client.next_deadline();
    auto sent = client.on_deadline(now);
    while (sent) {
      const int hops = wire::decode_mtrace2(sent->datagram)->hops;
      asked.push_back(hops);
      // Two routers answer; what climbs beyond them is lost.
      sent = hops <= 2 ? client.on_datagram(answer(*sent, {kFirst, kSecond}), now + 5ms) : std::nullopt;
    }
    ASSERT_LT(asked.size(), 50U);
  }
  EXPECT_EQ(asked, (std::vector{32, 32, 32, 1, 2, 3, 3, 3}));
  EXPECT_EQ(client.outcome()->ending, Ending::kSilent);
  EXPECT_EQ(client.outcome()->path, (std::vector{kFirst, kSecond}));
  EXPECT_TRUE(client.outcome()->hop_by_hop);
  EXPECT_EQ(now, t0 + 12s + 5ms) << "three times 2 s, twice, and the answers between them";
}

TEST(TraceClient, SaysWhenNobodyAnswersAtAll) {
  Client client(kQuery, {.timeout = 100ms, .attempts = 2, .hops = 8}, 7, t0);
  int sent = 0;
  while (!client.outcome()) {
    sent += client.on_deadline(client.next_deadline()) ? 1 : 0;
  }
  EXPECT_EQ(sent, 4);
  EXPECT_EQ(client.outcome()->ending, Ending::kSilent);
  EXPECT_TRUE(client.outcome()->path.empty());
  EXPECT_EQ(client.outcome()->round_trip, Duration{});
}

TEST(TraceClient, APathAsLongAsItMayBeEnds) {
  Client client(kQuery, {.hops = 2}, 7, t0);
  const auto sent = client.on_deadline(t0);
  EXPECT_FALSE(client.on_datagram(answer(*sent, {kFirst, kSecond, kLast}), t0));
  ASSERT_TRUE(client.outcome());
  EXPECT_EQ(client.outcome()->ending, Ending::kStopped);
  EXPECT_EQ(client.outcome()->path.size(), 2U);
}

TEST(TraceClient, CountsStrangersAndGoesOn) {
  Client client(kQuery, {}, 7, t0);
  const auto sent = client.on_deadline(t0);
  const Buffer right = answer(*sent, {kLast});
  const auto changed = [&](auto change) {
    Mtrace2Message message = *wire::decode_mtrace2(right);
    change(message);
    return wire::encode_mtrace2(message);
  };
  const std::vector<Buffer> strangers{
      Buffer{1, 2, 3},
      sent->datagram,  // our own query
      changed([](auto& m) { m.query_id = 8; }),
      changed([](auto& m) { m.group = ip("239.1.1.2"); }),
      changed([](auto& m) { m.source.reset(); }),
      changed([](auto& m) { m.client = ip("192.168.1.21"); }),
      changed([](auto& m) { m.client_port = 1; }),
      changed([](auto& m) { m.blocks.clear(); }),
      changed([](auto& m) { m.type = Mtrace2Type::kRequest; }),
  };
  for (const auto& stranger : strangers) {
    EXPECT_FALSE(client.on_datagram(stranger, t0));
    EXPECT_FALSE(client.outcome());
  }
  EXPECT_EQ(client.strangers(), strangers.size());
  (void)client.on_datagram(right, t0);
  EXPECT_TRUE(client.outcome());
  EXPECT_FALSE(client.on_datagram(right, t0)) << "a second copy";
  EXPECT_EQ(client.outcome()->path.size(), 1U);
}

TEST(TraceClient, AReplyToAnEarlierTryIsAStranger) {
  Client client(kQuery, {}, 7, t0);
  const auto first = client.on_deadline(t0);
  const auto second = client.on_deadline(t0 + 2s);
  (void)client.on_datagram(answer(*first, {kLast}), t0 + 2s);
  EXPECT_FALSE(client.outcome()) << "its round trip could not be told";
  (void)client.on_datagram(answer(*second, {kLast}), t0 + 2s + 3ms);
  ASSERT_TRUE(client.outcome());
  EXPECT_EQ(client.outcome()->round_trip, 3ms);
}

TEST(TraceClient, ReadsArrivalTimes) {
  wire::Mtrace2Response r;
  r.arrival_time = 0x00038000;
  EXPECT_DOUBLE_EQ(arrival_seconds(r), 3.5);
}

}  // namespace
}  // namespace hearthcast::trace
