#include "tunnelmgr/trace/responder.hpp"

#include <gtest/gtest.h>

namespace hearthcast::trace {
namespace {

using namespace std::chrono_literals;
using wire::Mtrace2Code;
using wire::Mtrace2Message;
using wire::Mtrace2Response;
using wire::Mtrace2Type;

const Time t0 = Time{} + 100s;
constexpr std::uint32_t kLan = 3;
constexpr std::uint32_t kWan = 2;
constexpr std::uint32_t kNow = 0x12345678;
IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// A box between the provider (10.64.0.0/24) and a home (192.168.1.0/24, 2001:db8:1::/64).
struct Box : RouteLookup {
  std::optional<RouteFacts> facts;
  Box() {
    facts.emplace();
    facts->incoming_interface = kWan;
    facts->outgoing_interface = kLan;
    facts->incoming = ip("10.64.0.2");
    facts->outgoing = ip("192.168.1.1");
    facts->upstream = ip("10.64.0.1");
    facts->flow_packets = 42;
    facts->threshold = 1;
  }
  std::optional<RouteFacts> route(const IpAddress&, const std::optional<IpAddress>&,
                                  std::uint32_t interface_index) const override {
    return interface_index == kLan ? facts : std::nullopt;
  }
  bool on_link(std::uint32_t interface_index, const IpAddress& address) const override {
    const auto text = address.to_string();
    return interface_index == kLan ? text.starts_with("192.168.1.") || text.starts_with("2001:db8:1::")
                                   : text.starts_with("10.64.0.");
  }
};

Mtrace2Message query(std::uint8_t hops = 32) {
  return {Mtrace2Type::kQuery, hops, ip("239.1.1.1"), ip("10.64.0.10"), ip("192.168.1.20"), 7, 40000, {}};
}

const Arrival kFromClient{{ip("192.168.1.20"), 40000}, kLan, 64, false};

class TraceResponder : public ::testing::Test {
 protected:
  std::optional<SendTrace> send(const Mtrace2Message& message, const Arrival& arrival = kFromClient,
                                Time now = t0) {
    return responder.on_datagram(wire::encode_mtrace2(message), arrival, box, kNow, now);
  }
  static Mtrace2Message content(const std::optional<SendTrace>& sent) {
    return sent ? wire::decode_mtrace2(sent->datagram).value() : Mtrace2Message{};
  }
  static Mtrace2Response last(const std::optional<SendTrace>& sent) {
    const auto message = content(sent);
    return message.blocks.empty() ? Mtrace2Response{} : std::get<Mtrace2Response>(message.blocks.back());
  }
  Box box;
  Responder responder{{}, t0};
};

TEST_F(TraceResponder, AnswersAClientOnItsLinkWithWhatItKnows) {
  const auto sent = send(query());
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, (Endpoint{ip("192.168.1.20"), 40000}));
  EXPECT_EQ(sent->interface_index, kLan);
  auto expected = query();
  expected.type = Mtrace2Type::kReply;
  Mtrace2Response block;
  block.arrival_time = kNow;
  block.incoming = ip("10.64.0.2");
  block.outgoing = ip("192.168.1.1");
  block.upstream = ip("10.64.0.1");
  block.flow_packets = 42;
  block.forward_ttl = 1;
  block.source_prefix = 32;
  expected.blocks = {block};
  EXPECT_EQ(content(sent), expected);
  EXPECT_EQ(responder.counters(), (ResponderCounters{.replies = 1}));
}

TEST_F(TraceResponder, AnswersIPv6WithInterfaceNumbers) {
  box.facts->incoming = ip("2001:db8:64::2");
  box.facts->upstream = ip("fe80::1");
  box.facts->any_source = true;
  auto message = query();
  message.group = ip("ff1e::1");
  message.source.reset();
  message.client = ip("2001:db8:1::20");
  const auto sent = send(message, {{ip("2001:db8:1::20"), 5}, kLan, 64, false});
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, (Endpoint{ip("2001:db8:1::20"), 40000}));
  EXPECT_EQ(last(sent).incoming_interface, kWan);
  EXPECT_EQ(last(sent).outgoing_interface, kLan);
  EXPECT_EQ(last(sent).source_prefix, 255);
}

TEST_F(TraceResponder, PassesOnTowardsTheSourceOnlyWhenAllowed) {
  responder = Responder({.forward = true}, t0);
  const auto sent = send(query());
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, (Endpoint{ip("10.64.0.1"), 33435}));
  EXPECT_EQ(sent->interface_index, kWan);
  EXPECT_EQ(content(sent).type, Mtrace2Type::kRequest);
  EXPECT_EQ(wire::count_responses(content(sent)), 1U);
  EXPECT_EQ(responder.counters(), (ResponderCounters{.forwarded = 1}));
}

TEST_F(TraceResponder, EndsThePathWhenItsHopsAreUsedUp) {
  responder = Responder({.forward = true}, t0);
  EXPECT_EQ(content(send(query(1))).type, Mtrace2Type::kReply);
}

TEST_F(TraceResponder, EndsThePathWhereItKnowsNoRouterAbove) {
  responder = Responder({.forward = true}, t0);
  box.facts->upstream.reset();
  const auto sent = send(query());
  EXPECT_EQ(content(sent).type, Mtrace2Type::kReply);
  EXPECT_TRUE(last(sent).upstream.is_unspecified());
}

TEST_F(TraceResponder, EndsThePathWhereNothingFlows) {
  responder = Responder({.forward = true}, t0);
  for (const auto code : {Mtrace2Code::kNotForwarding, Mtrace2Code::kScoped, Mtrace2Code::kNoRoute}) {
    box.facts->code = code;
    const auto sent = send(query());
    EXPECT_EQ(content(sent).type, Mtrace2Type::kReply);
    EXPECT_EQ(last(sent).code, code);
  }
}

TEST_F(TraceResponder, SaysToAClientThatItIsNotItsLastHop) {
  box.facts.reset();
  const auto sent = send(query());
  EXPECT_EQ(last(sent).code, Mtrace2Code::kWrongLastHop);
  Arrival to_all = kFromClient;
  to_all.to_group = true;
  EXPECT_FALSE(send(query(), to_all)) << "asked of all routers: another one answers";
  EXPECT_EQ(responder.counters().not_last_hop, 2U);
}

TEST_F(TraceResponder, AnswersNobodyFromElsewhere) {
  auto far = query();
  far.client = ip("203.0.113.9");
  EXPECT_FALSE(send(far, {{ip("203.0.113.9"), 40000}, kLan, 64, false}));
  EXPECT_FALSE(send(query(), {{ip("192.168.1.20"), 40000}, kWan, 64, false}))
      << "a home address from outside";
  EXPECT_FALSE(send(far)) << "a victim's address in the query of a neighbour";
  EXPECT_EQ(responder.counters(), (ResponderCounters{.not_on_link = 3}));
}

TEST_F(TraceResponder, TakesRequestsFromNeighboursOnly) {
  auto request = query();
  request.type = Mtrace2Type::kRequest;
  request.client = ip("192.168.7.3");  // behind another box of this home
  request.blocks = {Mtrace2Response{.outgoing = ip("192.168.7.1")}};
  Arrival neighbour{{ip("192.168.1.9"), 33435}, kLan, 255, false};
  const auto sent = send(request, neighbour);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->to, (Endpoint{ip("192.168.7.3"), 40000}));
  EXPECT_EQ(sent->interface_index, 0U) << "the client may be anywhere";
  EXPECT_EQ(wire::count_responses(content(sent)), 2U);
  neighbour.hop_limit = 254;
  EXPECT_FALSE(send(request, neighbour));
  neighbour.hop_limit = 0;
  EXPECT_FALSE(send(request, neighbour));
  EXPECT_FALSE(send(request, {{ip("203.0.113.9"), 33435}, kLan, 255, false}));
  EXPECT_EQ(responder.counters().not_on_link, 3U);
}

TEST_F(TraceResponder, ARequestFromTheWrongSideIsToldSo) {
  auto request = query();
  request.type = Mtrace2Type::kRequest;
  EXPECT_EQ(last(send(request, {{ip("10.64.0.1"), 33435}, kWan, 255, false})).code,
            Mtrace2Code::kWrongInterface);
}

TEST_F(TraceResponder, IgnoresAddressesThatCannotBeTraced) {
  const auto refused = [&](auto change) {
    auto message = query();
    change(message);
    return !send(message, {{message.client, 40000}, kLan, 64, false});
  };
  EXPECT_TRUE(refused([](auto& m) { m.group = ip("192.0.2.1"); }));
  EXPECT_TRUE(refused([](auto& m) { m.group = ip("224.0.0.5"); }));
  EXPECT_TRUE(refused([](auto& m) { m.source = ip("239.1.1.1"); }));
  EXPECT_TRUE(refused([](auto& m) { m.source = ip("0.0.0.0"); }));
  EXPECT_TRUE(refused([](auto& m) { m.client = ip("239.9.9.9"); }));
  EXPECT_TRUE(refused([](auto& m) { m.client = ip("127.0.0.1"); }));
  EXPECT_TRUE(refused([](auto& m) { m.client = ip("255.255.255.255"); }));
  EXPECT_TRUE(refused([](auto& m) { m.client_port = 0; }));
  EXPECT_EQ(responder.counters(), (ResponderCounters{.bad_addresses = 8}));
}

TEST_F(TraceResponder, DropsWhatIsMalformed) {
  EXPECT_FALSE(responder.on_datagram(Buffer{1, 0, 20}, kFromClient, box, kNow, t0));
  EXPECT_FALSE(responder.on_datagram(Buffer(1233, 1), kFromClient, box, kNow, t0));
  auto reply = query();
  reply.type = Mtrace2Type::kReply;
  EXPECT_FALSE(send(reply));
  EXPECT_FALSE(send(query(0)));
  auto answered = query();
  answered.blocks = {Mtrace2Response{.outgoing = ip("192.168.7.1")}};
  EXPECT_FALSE(send(answered)) << "a query that brings answers along";
  EXPECT_EQ(responder.counters(), (ResponderCounters{.malformed = 5}));
}

TEST_F(TraceResponder, UnknownDemandsAreToldAndPassedOnWhenTheyMay) {
  auto message = query();
  message.blocks = {wire::Mtrace2Extended{false, 99, {}}};
  EXPECT_EQ(last(send(message)).code, Mtrace2Code::kUnknownQuery);
  message.blocks = {wire::Mtrace2Extended{true, 99, {}}};
  EXPECT_EQ(last(send(message)).code, Mtrace2Code::kNoError);
}

TEST_F(TraceResponder, SaysSoWhenThereIsNoRoomForItsAnswer) {
  auto request = query(255);
  request.type = Mtrace2Type::kRequest;
  request.blocks.assign(23, Mtrace2Response{.outgoing = ip("192.168.7.1")});  // 20 + 23 * 52 octets: 1216
  const Arrival neighbour{{ip("192.168.1.9"), 33435}, kLan, 255, false};
  const auto sent = send(request, neighbour);
  ASSERT_TRUE(sent);
  EXPECT_LE(sent->datagram.size(), 1232U);
  EXPECT_EQ(wire::count_responses(content(sent)), 23U);
  EXPECT_EQ(last(sent).code, Mtrace2Code::kNoSpace);
  auto full = query();
  full.blocks = {wire::Mtrace2Extended{true, 1, Buffer(1190)}};
  EXPECT_FALSE(send(full));
}

TEST_F(TraceResponder, SendsNoMoreThanItsBudget) {
  int sent = 0;
  for (int i = 0; i < 1000; ++i) {
    sent += send(query(), kFromClient, t0 + i * 1ms) ? 1 : 0;
  }
  EXPECT_EQ(sent, 10) << "in the first second";
  EXPECT_EQ(responder.counters().over_rate, 990U);
  EXPECT_TRUE(send(query(), kFromClient, t0 + 1s));
}

TEST_F(TraceResponder, AnAnswerIsOneBlockLargerThanTheQuestion) {
  const auto question = wire::encode_mtrace2(query());
  const auto sent = send(query());
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->datagram.size(), question.size() + 52);
}

TEST(TraceTime, IsTheMiddleOfAnNtpTimeStamp) {
  EXPECT_EQ(ntp_middle(0), 2'208'988'800U % 65536 << 16);
  EXPECT_EQ(ntp_middle(1'500'000'000) - ntp_middle(0), (1U << 16) + 0x8000);
}

}  // namespace
}  // namespace hearthcast::trace
