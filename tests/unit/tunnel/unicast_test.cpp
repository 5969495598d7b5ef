#include "tunnelmgr/tunnel/unicast.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/ip4.hpp"
#include "tunnelmgr/wire/ip6.hpp"

namespace hearthcast::tunnel {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

Buffer hex(std::string_view text) {
  std::string digits(text);
  std::erase(digits, ' ');
  return from_hex(digits).value();
}

const IpAddress kDevice6 = ip("fd01:2:3:4::2");
const IpAddress kBox6 = ip("fd01:2:3:4::1");
const IpAddress kDevice4 = ip("10.203.0.5");
const IpAddress kBox4 = ip("10.203.0.1");

Buffer packet6(std::uint8_t protocol, Bytes payload, const IpAddress& from = kDevice6,
               const IpAddress& to = kBox6) {
  return wire::encode_ip6({.next_header = protocol, .hop_limit = 64, .source = from, .destination = to},
                          payload);
}
Buffer packet4(std::uint8_t protocol, Bytes payload, const IpAddress& from = kDevice4,
               const IpAddress& to = kBox4) {
  return wire::encode_ip4({.ttl = 64, .protocol = protocol, .source = from, .destination = to}, payload);
}
Buffer icmp6(std::uint8_t type, std::string_view hex_body, const IpAddress& from = kDevice6,
             const IpAddress& to = kBox6) {
  return packet6(58, wire::encode_icmp6({type, 0, hex(hex_body)}, from, to), from, to);
}
Buffer icmp4(std::uint8_t type, std::string_view hex_body) {
  Buffer message{type, 0, 0, 0};
  const Buffer body = hex(hex_body);
  message.insert(message.end(), body.begin(), body.end());
  const auto sum = wire::checksum(message);
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum);
  return packet4(1, message);
}
// SYN to port 8871.
const Buffer kSyn = hex("c00122a7000000010000000050 02 ffff 0000 0000");

std::optional<Buffer> answer_to(Bytes packet) {
  const auto decoded = decode_unicast(packet);
  return decoded ? answer(*decoded, packet) : std::nullopt;
}

TEST(Unicast, EchoPassesAndIsAnsweredWithTheSameOctets) {
  const Buffer ask6 = icmp6(128, "1234 0001 68656172746863617374");
  const auto got6 = answer_to(ask6);
  ASSERT_TRUE(got6);
  EXPECT_EQ(got6->size(), ask6.size());
  EXPECT_EQ(*got6, icmp6(129, "1234 0001 68656172746863617374", kBox6, kDevice6));

  const Buffer ask4 = icmp4(8, "1234 0001 68656172746863617374");
  const auto got4 = answer_to(ask4);
  ASSERT_TRUE(got4);
  EXPECT_EQ(got4->size(), ask4.size());
  const auto decoded = wire::decode_ip4(*got4);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->header.source, kBox4);
  EXPECT_EQ(decoded->header.destination, kDevice4);
  EXPECT_EQ(decoded->payload[0], 0);
  EXPECT_EQ(wire::checksum(decoded->payload), 0);
  EXPECT_EQ(to_hex(decoded->payload.subspan(4)), "1234000168656172746863617374");
}

TEST(Unicast, ADamagedEchoIsNotAnswered) {
  Buffer six = icmp6(128, "12340001aabb");
  six.back() ^= 1;
  EXPECT_FALSE(answer_to(six));
  Buffer four = icmp4(8, "12340001aabb");
  four.back() ^= 1;
  EXPECT_FALSE(answer_to(four));
  EXPECT_FALSE(answer_to(icmp6(128, "1234"))) << "shorter than an echo";
  EXPECT_FALSE(answer_to(icmp4(8, "1234")));
}

TEST(Unicast, NobodyAnswersAnAnswerOrAnError) {
  EXPECT_FALSE(answer_to(icmp6(129, "12340001aabb")));
  EXPECT_FALSE(answer_to(icmp4(0, "12340001aabb")));
  EXPECT_FALSE(answer_to(icmp6(1, "0000000060000000")));
  EXPECT_FALSE(answer_to(icmp4(3, "0000000045000000")));
}

TEST(Unicast, TcpIsToldThatThePortIsUnreachable) {
  const auto got6 = answer_to(packet6(6, kSyn));
  ASSERT_TRUE(got6);
  const auto ip6 = wire::decode_ip6(*got6);
  ASSERT_TRUE(ip6);
  const auto icmp = wire::decode_icmp6(ip6->payload, kBox6, kDevice6);
  ASSERT_TRUE(icmp);
  EXPECT_EQ(icmp->type, 1);
  EXPECT_EQ(icmp->code, 4);
  EXPECT_TRUE(equal(icmp->body.subspan(4), packet6(6, kSyn)))
      << "the laptop's kernel finds the connection by it";

  const auto got4 = answer_to(packet4(6, kSyn));
  ASSERT_TRUE(got4);
  const auto ip4 = wire::decode_ip4(*got4);
  ASSERT_TRUE(ip4);
  EXPECT_EQ(ip4->payload[0], 3);
  EXPECT_EQ(ip4->payload[1], 3);
  EXPECT_EQ(wire::checksum(ip4->payload), 0);
  EXPECT_LE(answer_to(packet4(6, Buffer(1200)))->size(), 200U);
}

TEST(Unicast, WhatIsNotForThisTunnelDoesNotPass) {
  EXPECT_FALSE(decode_unicast({}));
  EXPECT_FALSE(decode_unicast(packet6(17, Buffer(20)))) << "UDP";
  EXPECT_FALSE(decode_unicast(packet4(17, Buffer(20))));
  EXPECT_FALSE(decode_unicast(packet4(47, Buffer(20)))) << "a tunnel inside";
  EXPECT_FALSE(decode_unicast(packet6(41, Buffer(40))));
  EXPECT_FALSE(decode_unicast(packet6(44, Buffer(20)))) << "a fragment";
  EXPECT_FALSE(decode_unicast(packet6(6, {}))) << "nothing in it";
  for (const std::uint8_t type :
       std::initializer_list<std::uint8_t>{130, 131, 132, 133, 134, 135, 136, 137, 143, 200}) {
    EXPECT_FALSE(decode_unicast(icmp6(type, "00000000"))) << int{type};
  }
  EXPECT_FALSE(decode_unicast(icmp4(5, "00000000"))) << "a redirect";
  EXPECT_FALSE(decode_unicast(icmp4(13, "00000000")));
  EXPECT_FALSE(decode_unicast(packet6(6, kSyn, kDevice6, ip("ff02::1"))));
  EXPECT_FALSE(decode_unicast(packet4(6, kSyn, kDevice4, ip("232.1.1.1"))));
  EXPECT_FALSE(decode_unicast(packet4(6, kSyn, ip("224.0.0.1"), kBox4)));
  const Buffer fragment = wire::encode_ip4(
      {.more_fragments = true, .ttl = 64, .protocol = 6, .source = kDevice4, .destination = kBox4}, kSyn);
  EXPECT_FALSE(decode_unicast(fragment));
}

TEST(Unicast, EveryPrefixIsRejectedNotRead) {
  for (const Buffer& whole : {icmp6(128, "12340001aabb"), packet4(6, kSyn), icmp4(8, "12340001aabb")}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(decode_unicast(Bytes(whole).first(size))) << size;
    }
  }
}

TEST(UnicastEnds, KnowEachOtherAndNobodyElse) {
  const UnicastEnds ends({kDevice6, kDevice4}, {kBox6, kBox4});
  const auto decoded = [](Bytes packet) { return *decode_unicast(packet); };
  const Buffer there = packet6(6, kSyn);
  const Buffer back = packet6(6, kSyn, kBox6, kDevice6);
  EXPECT_TRUE(ends.to_box(decoded(there)));
  EXPECT_FALSE(ends.to_device(decoded(there)));
  EXPECT_TRUE(ends.to_device(decoded(back)));
  EXPECT_FALSE(ends.to_box(decoded(back)));
  const Buffer forged = packet6(6, kSyn, ip("2001:db8::1"), kBox6);
  const Buffer beyond = packet6(6, kSyn, kDevice6, ip("2001:db8::1"));
  EXPECT_FALSE(ends.to_box(decoded(forged)));
  EXPECT_FALSE(ends.to_box(decoded(beyond)));
  EXPECT_FALSE(UnicastEnds().to_box(decoded(there)));
  EXPECT_FALSE(UnicastEnds().to_device(decoded(back)));
}

TEST(Prohibited, IsToldToWhoAskedAndQuotesWhatHeSent) {
  const IpAddress host4 = ip("192.168.1.50");
  const IpAddress host6 = ip("fd77::9");
  for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
    const Buffer asked4 = packet4(protocol, kSyn, kDevice4, host4);
    const auto error4 = prohibited(asked4, kBox4);
    ASSERT_TRUE(error4);
    const auto ip4 = wire::decode_ip4(*error4);
    ASSERT_TRUE(ip4);
    EXPECT_EQ(ip4->header.source, kBox4);
    EXPECT_EQ(ip4->header.destination, kDevice4);
    EXPECT_EQ(ip4->payload[0], 3);
    EXPECT_EQ(ip4->payload[1], 13);
    EXPECT_EQ(wire::checksum(ip4->payload), 0);
    EXPECT_TRUE(equal(ip4->payload.subspan(8), asked4));
    const auto error6 = prohibited(packet6(protocol, kSyn, kDevice6, host6), kBox6);
    ASSERT_TRUE(error6);
    const auto ip6 = wire::decode_ip6(*error6);
    ASSERT_TRUE(ip6);
    const auto icmp = wire::decode_icmp6(ip6->payload, kBox6, kDevice6);
    ASSERT_TRUE(icmp);
    EXPECT_EQ(icmp->type, 1);
    EXPECT_EQ(icmp->code, 1);
  }
  EXPECT_TRUE(prohibited(icmp6(128, "12340001", kDevice6, host6), kBox6)) << "an echo";
  EXPECT_TRUE(prohibited(icmp4(8, "12340001"), kBox4));
}

TEST(Prohibited, IsNotToldWhereNoErrorIsDue) {
  EXPECT_FALSE(prohibited({}, kBox4));
  EXPECT_FALSE(prohibited(icmp6(1, "0000000060000000"), kBox6)) << "an error";
  EXPECT_FALSE(prohibited(icmp4(3, "0000000045000000"), kBox4));
  EXPECT_FALSE(prohibited(icmp4(0, "12340001"), kBox4)) << "a reply";
  EXPECT_FALSE(prohibited(packet6(17, kSyn, kDevice6, ip("ff05::2")), kBox6)) << "a group";
  EXPECT_FALSE(prohibited(packet6(17, kSyn, ip("::"), kBox6), kBox6)) << "nobody";
  EXPECT_FALSE(prohibited(packet6(17, kSyn), kBox4)) << "the other family";
  EXPECT_FALSE(prohibited(packet4(47, kSyn), kBox4));
  const Buffer later = wire::encode_ip4(
      {.fragment_offset = 3, .ttl = 64, .protocol = 17, .source = kDevice4, .destination = kBox4}, kSyn);
  EXPECT_FALSE(prohibited(later, kBox4)) << "a later fragment";
  for (const Buffer& whole : {packet4(17, kSyn), packet6(17, kSyn)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(prohibited(Bytes(whole).first(size), kBox4)) << size;
    }
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
