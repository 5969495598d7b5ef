#include "tunnelmgr/wire/dns.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const std::string kService = "0b5f6865617274686361737404 5f756470 056c6f63616c 00";  // _hearthcast._udp.local
const DnsName kServiceName{"_hearthcast", "_udp", "local"};

DnsMessage query() { return {.id = 0x1234, .questions = {{kServiceName, kDnsPtr, true}}}; }
Buffer query_octets() { return hex("1234 0000 0001 0000 0000 0000" + kService + "000c 8001"); }

DnsMessage answer() {
  return {.id = 0,
          .response = true,
          .records = {{{"a", "local"}, 120, true, DnsService{4755, {"b", "local"}}},
                      {{"b", "local"}, 120, true, ip("192.168.1.10")},
                      {{"b", "local"}, 120, true, ip("2001:db8::2")},
                      {kServiceName, 120, false, DnsPointer{{"a", "local"}}}}};
}

TEST(Dns, AQueryHasTheOctetsOfTheRfc) {
  EXPECT_EQ(encode_dns(query()), query_octets());
  EXPECT_EQ(decode_dns(query_octets()).value(), query());
}

TEST(Dns, AnAnswerHasTheOctetsOfTheRfc) {
  EXPECT_EQ(encode_dns(answer()),
            hex("0000 8400 0000 0004 0000 0000"
                "0161 056c6f63616c 00 0021 8001 00000078 000f 0000 0000 1293 0162 056c6f63616c 00"
                "0162 056c6f63616c 00 0001 8001 00000078 0004 c0a8010a"
                "0162 056c6f63616c 00 001c 8001 00000078 0010 20010db8000000000000000000000002" +
                kService + "000c 0001 00000078 0009 0161 056c6f63616c 00"));
  EXPECT_EQ(decode_dns(encode_dns(answer())).value(), answer());
}

TEST(Dns, ReadsCompressedNames) {  // as other responders write them
  const auto message = decode_dns(hex("0000 8400 0000 0001 0000 0001" + kService +
                                      "000c 0001 00000078 0004 0161 c00c"
                                      "c02e 0021 8001 00000078 000a 0000 0000 1293 0162 c01d"));
  ASSERT_TRUE(message);
  ASSERT_EQ(message->records.size(), 2U);
  EXPECT_EQ(std::get<DnsPointer>(message->records[0].data).name,
            (DnsName{"a", "_hearthcast", "_udp", "local"}));
  EXPECT_EQ(message->records[1].name, (DnsName{"a", "_hearthcast", "_udp", "local"}));
  EXPECT_EQ(std::get<DnsService>(message->records[1].data).host, (DnsName{"b", "local"}));
}

TEST(Dns, PassesOverRecordsThatItDoesNotKnow) {
  const auto message =
      decode_dns(hex("0000 8400 0000 0003 0000 0000"
                     "0161 00 0010 8001 00000078 0001 00"        // TXT
                     "0162 00 0001 0003 00000078 0004 01020304"  // another class
                     "0162 00 0001 0001 00000078 0004 01020304"));
  ASSERT_TRUE(message);
  ASSERT_EQ(message->records.size(), 1U);
  EXPECT_EQ(std::get<IpAddress>(message->records[0].data), ip("1.2.3.4"));
}

TEST(Dns, APaddedQueryHasThatSizeAndSaysTheSame) {
  for (const std::size_t size : {80U, 300U, 512U}) {
    const Buffer padded = encode_padded_dns_query(query(), size);
    EXPECT_EQ(padded.size(), size);
    EXPECT_EQ(decode_dns(padded).value(), query());
  }
  EXPECT_EQ(encode_padded_dns_query(query(), 0).size(), query_octets().size() + 15);
}

TEST(Dns, RefusesEveryPrefix) {
  expect_no_prefix_decodes(query_octets(), decode_dns);
  expect_no_prefix_decodes(encode_dns(answer()), decode_dns);
  expect_no_prefix_decodes(encode_padded_dns_query(query(), 120), decode_dns);
}

TEST(Dns, APointerThatLeadsForwardOrRoundIsRefused) {
  EXPECT_FALSE(decode_dns(hex("0000 0000 0001 0000 0000 0000 c00c 000c 0001")));          // to itself
  EXPECT_FALSE(decode_dns(hex("0000 0000 0001 0000 0000 0000 0161 c00c 000c 0001")));     // round
  EXPECT_FALSE(decode_dns(hex("0000 0000 0001 0000 0000 0000 c010 0161 00 000c 0001")));  // forward
  EXPECT_FALSE(decode_dns(hex("0000 0000 0001 0000 0000 0000 c0")));                      // half of one
  EXPECT_FALSE(decode_dns(hex("0000 0000 0001 0000 0000 0000 4161 00 000c 0001")));       // reserved
}

TEST(Dns, ANameThatIsTooLongIsRefused) {
  const auto with_labels = [](std::size_t count) {
    DnsMessage message = query();
    message.questions[0].name = DnsName(count, std::string(49, 'x'));
    return encode_dns(message);
  };
  EXPECT_TRUE(decode_dns(with_labels(5)));
  EXPECT_FALSE(decode_dns(with_labels(6)));
}

TEST(Dns, CountsThatAreTooLargeAreRefusedBeforeAnythingIsRead) {
  EXPECT_EQ(decode_dns(hex("0000 0000 ffff 0000 0000 0000")).error(), ParseError::kBadLength);
  EXPECT_EQ(decode_dns(hex("0000 0000 0000 ffff ffff ffff")).error(), ParseError::kBadLength);
  EXPECT_EQ(decode_dns(hex("0000 0000 0000 0040 0001 0000")).error(), ParseError::kBadLength);
}

TEST(Dns, ARecordWhoseDataAreOfAnotherSizeIsRefused) {
  const std::string head = "0000 8400 0000 0001 0000 0000 0162 00 ";
  EXPECT_FALSE(decode_dns(hex(head + "0001 0001 00000078 0005 0102030405")));
  EXPECT_FALSE(decode_dns(hex(head + "001c 0001 00000078 0004 01020304")));
  EXPECT_FALSE(decode_dns(hex(head + "000c 0001 00000078 0004 0161 00 00")));
  EXPECT_FALSE(decode_dns(hex(head + "0021 0001 00000078 0008 0000 0000 1293 00 00")));
  EXPECT_EQ(decode_dns(hex("0000 2800 0000 0000 0000 0000")).error(), ParseError::kUnsupported);  // update
}

TEST(Dns, NamesAreAlikeWhateverTheCaseOfTheirLetters) {
  EXPECT_TRUE(same_name({"_Hearthcast", "_UDP", "local"}, kServiceName));
  EXPECT_FALSE(same_name({"_hearthcast", "_tcp", "local"}, kServiceName));
  EXPECT_FALSE(same_name({"_hearthcast", "_udp"}, kServiceName));
}

}  // namespace
}  // namespace hearthcast::wire
