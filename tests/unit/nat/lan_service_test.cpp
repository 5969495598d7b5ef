#include "tunnelmgr/nat/lan_service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/nat/fake_router.hpp"

namespace hearthcast::nat {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const IpAddress kBox4 = *IpAddress::parse("192.168.1.10");
const IpAddress kBox6 = *IpAddress::parse("fd00::10");
const Endpoint kLaptop{*IpAddress::parse("192.168.1.20"), 40000};
const Endpoint kBrowser{*IpAddress::parse("192.168.1.21"), kMdnsPort};

Buffer question(bool unicast, std::uint16_t type = wire::kDnsPtr, wire::DnsName name = lan_service_name(),
                std::size_t size = 512) {
  return wire::encode_padded_dns_query({.id = 77, .questions = {{std::move(name), type, unicast}}}, size);
}

struct LanServiceTest : testing::Test {
  std::optional<LanResponder::Answer> ask(const Buffer& query, const Endpoint& from, bool neighbour = true,
                                          unsigned link = 2) {
    return box.on_query(query, {link, from, neighbour, {kBox4, kBox6}, 4755}, now);
  }
  // The client's question, when it is due.
  Buffer search_now() {
    now = std::max(now, search.next_deadline());
    return search.on_deadline(now).value_or(Buffer{});
  }

  Time now{1h};
  CountingRandom random;
  LanResponder box{random};
  LanSearch search{random};
};

TEST_F(LanServiceTest, ALaptopFindsTheBox) {
  search.want(true, now);
  const auto answer = ask(search_now(), kLaptop);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->to, kLaptop);
  EXPECT_THAT(search.on_answer(answer->bytes, {kBox4, kMdnsPort}, true),
              ElementsAre(Endpoint{kBox4, 4755}, Endpoint{kBox6, 4755}));
}

TEST_F(LanServiceTest, TheAnswerToOneIsNeverLargerThanItsQuestion) {
  for (std::size_t size = 60; size < 600; size += 7) {
    LanResponder fresh(random);
    const Buffer query = question(true, wire::kDnsPtr, lan_service_name(), size);
    const auto answer = fresh.on_query(query, {2, kLaptop, true, {kBox4, kBox6}, 4755}, now);
    EXPECT_TRUE(!answer || answer->bytes.size() <= query.size()) << size;
  }
  EXPECT_FALSE(ask(question(true, wire::kDnsPtr, lan_service_name(), 0), kLaptop));
  EXPECT_EQ(box.counters().held_back, 1U);
}

TEST_F(LanServiceTest, AnOldStyleAnswerRepeatsTheQuestionAndIsNotKeptLong) {
  const auto answer = wire::decode_dns(ask(question(true), kLaptop)->bytes);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 77);
  EXPECT_EQ(answer->questions.size(), 1U);
  for (const auto& record : answer->records) {
    EXPECT_LE(record.ttl, 10U);
    EXPECT_FALSE(record.cache_flush);
  }
}

TEST_F(LanServiceTest, ABrowserOfServicesIsAnsweredThroughTheGroupOnceASecond) {
  const auto first = ask(question(false), kBrowser);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->to, (Endpoint{mdns_group(Family::kIp4), kMdnsPort}));
  EXPECT_EQ(wire::decode_dns(first->bytes)->id, 0);
  EXPECT_FALSE(ask(question(false), kBrowser));
  EXPECT_TRUE(ask(question(false), kBrowser, true, 3)) << "another link";
  EXPECT_TRUE(ask(question(false), {*IpAddress::parse("fe80::7"), kMdnsPort})) << "another family";
  now += 1s;
  EXPECT_TRUE(ask(question(false), kBrowser));
  EXPECT_EQ(box.counters().held_back, 1U);
}

TEST_F(LanServiceTest, AFewHostsAMomentAreAnsweredAlone) {
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i) {
    answers += ask(question(true), kLaptop) ? 1 : 0;
  }
  EXPECT_EQ(answers, LanResponder::kUnicastBurst);
  now += 1s;
  EXPECT_TRUE(ask(question(true), kLaptop));
}

TEST_F(LanServiceTest, WhoIsNoNeighbourIsNotHeard) {
  EXPECT_FALSE(ask(question(true), kLaptop, false));
  EXPECT_EQ(box.counters().strangers, 1U);
}

TEST_F(LanServiceTest, OnlyThisServiceIsAnsweredFor) {
  EXPECT_FALSE(ask(question(true, wire::kDnsPtr, {"_ipp", "_tcp", "local"}), kLaptop));
  EXPECT_FALSE(ask(question(true, wire::kDnsPtr, {"_services", "_dns-sd", "_udp", "local"}), kLaptop));
  EXPECT_FALSE(ask(question(true, wire::kDnsA), kLaptop));
  EXPECT_FALSE(ask(Buffer{1, 2, 3}, kLaptop));
  auto response = wire::decode_dns(question(true)).value();
  response.response = true;
  EXPECT_FALSE(ask(wire::encode_dns(response), kLaptop)) << "answers are no questions";
  EXPECT_TRUE(ask(question(true, wire::kDnsAny), kLaptop));
  EXPECT_TRUE(ask(question(true, wire::kDnsPtr, {"_HEARTHCAST", "_udp", "LOCAL"}), kLaptop));
}

TEST_F(LanServiceTest, InstanceAndHostCanBeAskedForByName) {
  const auto all = wire::decode_dns(ask(question(true), kLaptop)->bytes).value();
  const auto instance = std::get<wire::DnsPointer>(all.records[0].data).name;
  const auto host = std::get<wire::DnsService>(all.records[1].data).host;
  EXPECT_TRUE(ask(question(true, wire::kDnsSrv, instance), kLaptop));
  EXPECT_TRUE(ask(question(true, wire::kDnsA, host), kLaptop));
  EXPECT_TRUE(ask(question(true, wire::kDnsAaaa, host), kLaptop));
}

TEST_F(LanServiceTest, NamesSayNothingOfTheBoxAndAreOthersEachTime) {
  LanResponder other(random);
  const auto one = wire::decode_dns(ask(question(true), kLaptop)->bytes).value();
  const auto two =
      wire::decode_dns(other.on_query(question(true), {2, kLaptop, true, {kBox4}, 4755}, now)->bytes).value();
  EXPECT_NE(one.records[0].data, two.records[0].data);
  EXPECT_NE(one.records[1].data, two.records[1].data);
}

TEST_F(LanServiceTest, ManyAddressesAreCutShort) {
  std::vector<IpAddress> many(40, kBox6);
  const auto answer = box.on_query(question(true), {2, kLaptop, true, many, 4755}, now);
  ASSERT_TRUE(answer);
  EXPECT_LE(answer->bytes.size(), LanSearch::kQuerySize);
}

TEST_F(LanServiceTest, TheClientAsksSoonAndThenEverMoreRarely) {
  EXPECT_EQ(search.next_deadline(), kNever);
  search.want(true, now);
  EXPECT_EQ(search.next_deadline(), now + LanSearch::kFirst);
  EXPECT_FALSE(search.on_deadline(now));
  int asked = 0;
  for (const Time end = now + 10min; search.next_deadline() < end; ++asked) {
    ASSERT_EQ(search_now().size(), LanSearch::kQuerySize);
  }
  EXPECT_GE(asked, 20);
  EXPECT_LE(asked, 24);
  search.want(true, now);
  EXPECT_GT(search.next_deadline(), now + 10s) << "wanting it still begins nothing anew";
  search.on_network_change(now);
  EXPECT_EQ(search.next_deadline(), now + LanSearch::kFirst);
  search.want(false, now);
  search.on_network_change(now);
  EXPECT_EQ(search.next_deadline(), kNever);
}

TEST_F(LanServiceTest, OnlyTheAnswerToItsQuestionIsHeard) {
  const auto unasked = ask(question(true), kLaptop)->bytes;
  EXPECT_THAT(search.on_answer(unasked, {kBox4, kMdnsPort}, true), IsEmpty());
  search.want(true, now);
  const auto answer = ask(search_now(), kLaptop)->bytes;
  EXPECT_THAT(search.on_answer(answer, {kBox4, kMdnsPort}, false), IsEmpty()) << "from afar";
  EXPECT_THAT(search.on_answer(answer, {kBox4, 5354}, true), IsEmpty()) << "another port";
  auto forged = wire::decode_dns(answer).value();
  forged.id ^= 1;
  EXPECT_THAT(search.on_answer(wire::encode_dns(forged), {kBox4, kMdnsPort}, true), IsEmpty());
  EXPECT_THAT(search.on_answer(Buffer{}, {kBox4, kMdnsPort}, true), IsEmpty());
  EXPECT_EQ(search.on_answer(answer, {kBox4, kMdnsPort}, true).size(), 2U);
}

TEST_F(LanServiceTest, AnAnswerCannotAimTheClientAtStrangers) {
  search.want(true, now);
  auto answer = wire::decode_dns(ask(search_now(), kLaptop)->bytes).value();
  for (const char* const address : {"203.0.113.9", "127.0.0.1", "224.0.0.1", "fe80::1", "::1"}) {
    answer.records[2].data = *IpAddress::parse(address);
    answer.records.resize(3);
    EXPECT_THAT(search.on_answer(wire::encode_dns(answer), {kBox4, kMdnsPort}, true), IsEmpty()) << address;
  }
}

TEST_F(LanServiceTest, ManyBoxesAreCutShort) {
  search.want(true, now);
  auto answer = wire::decode_dns(ask(search_now(), kLaptop)->bytes).value();
  const auto host = answer.records[2].name;
  for (std::uint8_t i = 0; i < 50; ++i) {
    answer.records.push_back({host, 10, false, IpAddress::ip4(0x0a000000U + i)});
  }
  EXPECT_EQ(search.on_answer(wire::encode_dns(answer), {kBox4, kMdnsPort}, true).size(),
            LanSearch::kMaxFound);
}

}  // namespace
}  // namespace hearthcast::nat
