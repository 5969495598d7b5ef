#include "tunnelmgr/wire/mtrace2.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const Mtrace2Message kQuery4{.type = Mtrace2Type::kQuery,
                             .hops = 32,
                             .group = ip("239.1.1.1"),
                             .source = ip("10.64.0.10"),
                             .client = ip("192.168.1.20"),
                             .query_id = 0x1234,
                             .client_port = 40000};

const Mtrace2Message kQuery6{.type = Mtrace2Type::kQuery,
                             .hops = 2,
                             .group = ip("ff3e::8000:1"),
                             .source = ip("2001:db8:64::10"),
                             .client = ip("2001:db8:1::20"),
                             .query_id = 1,
                             .client_port = 33000};

Mtrace2Response response4() {
  Mtrace2Response r;
  r.arrival_time = 0x11223344;
  r.incoming = ip("10.64.0.2");
  r.outgoing = ip("192.168.1.1");
  r.upstream = ip("10.64.0.1");
  r.input_packets = 5;
  r.output_packets = 6;
  r.flow_packets = 7;
  r.unicast_protocol = 2;
  r.multicast_protocol = 9;
  r.forward_ttl = 1;
  r.counts_network = true;
  r.source_prefix = 24;
  r.code = Mtrace2Code::kNotForwarding;
  return r;
}

Mtrace2Response response6() {
  Mtrace2Response r;
  r.arrival_time = 1;
  r.incoming_interface = 2;
  r.outgoing_interface = 3;
  r.incoming = ip("2001:db8::2");
  r.upstream = ip("fe80::1");
  r.source_prefix = 128;
  r.counts_network = true;
  r.code = Mtrace2Code::kNoError;
  return r;
}

Mtrace2Message with(Mtrace2Message message, Mtrace2Type type, std::vector<Mtrace2Block> blocks) {
  message.type = type;
  message.blocks = std::move(blocks);
  return message;
}

TEST(Mtrace2, QueryHasTheRightOctets) {
  EXPECT_EQ(encode_mtrace2(kQuery4), hex("01 0014 20 ef010101 0a40000a c0a80114 1234 9c40"));
  EXPECT_EQ(encode_mtrace2(kQuery6), hex("01 0038 02 ff3e0000000000000000000080000001"
                                         "20010db8006400000000000000000010 20010db8000100000000000000000020"
                                         "0001 80e8"));
}

TEST(Mtrace2, ResponseBlocksHaveTheRightOctets) {
  EXPECT_EQ(encode_mtrace2(with(kQuery4, Mtrace2Type::kReply, {response4()})),
            hex("03 0014 20 ef010101 0a40000a c0a80114 1234 9c40"
                "04 0034 00 11223344 0a400002 c0a80101 0a400001"
                "0000000000000005 0000000000000006 0000000000000007 0002 0009 01 00 98 07"));
  EXPECT_EQ(encode_mtrace2(with(kQuery6, Mtrace2Type::kRequest, {response6()})),
            hex("02 0038 02 ff3e0000000000000000000080000001"
                "20010db8006400000000000000000010 20010db8000100000000000000000020 0001 80e8"
                "04 0050 00 00000001 00000002 00000003 20010db8000000000000000000000002"
                "fe800000000000000000000000000001 ffffffffffffffff ffffffffffffffff ffffffffffffffff"
                "0000 0000 0001 80 00"));
}

TEST(Mtrace2, OtherBlocksHaveTheRightOctets) {
  EXPECT_EQ(encode_mtrace2(with(kQuery4, Mtrace2Type::kRequest,
                                {Mtrace2Augmented{1, {0, 4}}, Mtrace2Extended{true, 9, {}}})),
            hex("02 0014 20 ef010101 0a40000a c0a80114 1234 9c40 05 0008 00 0001 0004 06 0006 01 0009"));
}

TEST(Mtrace2, AnySourceIsWrittenAsTheRfcSays) {
  Mtrace2Message any4 = kQuery4;
  any4.source.reset();
  EXPECT_EQ(encode_mtrace2(any4), hex("01 0014 20 ef010101 ffffffff c0a80114 1234 9c40"));
  EXPECT_EQ(decode_mtrace2(encode_mtrace2(any4)).value(), any4);
  Mtrace2Message any6 = kQuery6;
  any6.source.reset();
  EXPECT_EQ(decode_mtrace2(encode_mtrace2(any6)).value(), any6);
}

TEST(Mtrace2, EveryMessageReadsBack) {
  for (const auto& message :
       {kQuery4, kQuery6, with(kQuery4, Mtrace2Type::kReply, {response4(), response4()}),
        with(kQuery6, Mtrace2Type::kReply, {response6(), Mtrace2Augmented{7, {1, 2, 3}}, response6()}),
        with(kQuery6, Mtrace2Type::kQuery, {Mtrace2Extended{false, 2, {9}}, Mtrace2Extended{true, 3, {}}})}) {
    EXPECT_EQ(decode_mtrace2(encode_mtrace2(message)).value(), message);
  }
}

TEST(Mtrace2, ReservedOctetsMayHoldAnything) {
  Buffer octets = encode_mtrace2(with(kQuery4, Mtrace2Type::kReply, {response4()}));
  octets[20 + 3] = 0xFF;   // of the block's head
  octets[20 + 49] = 0xFF;  // between threshold and prefix length
  EXPECT_EQ(decode_mtrace2(octets).value(), with(kQuery4, Mtrace2Type::kReply, {response4()}));
  octets = encode_mtrace2(with(kQuery6, Mtrace2Type::kReply, {response6()}));
  octets[56 + 76] = 0xFF;
  octets[56 + 77] |= 0xFE;
  EXPECT_EQ(decode_mtrace2(octets).value(), with(kQuery6, Mtrace2Type::kReply, {response6()}));
}

TEST(Mtrace2, EveryPrefixIsRefused) {
  expect_no_prefix_decodes(encode_mtrace2(kQuery4), decode_mtrace2);
  expect_no_prefix_decodes(encode_mtrace2(kQuery6), decode_mtrace2);
  // Between two blocks a message may end; inside one it may not.
  expect_no_prefix_decodes(encode_mtrace2(with(kQuery4, Mtrace2Type::kReply, {response4()})), decode_mtrace2,
                           21);
  expect_no_prefix_decodes(encode_mtrace2(with(kQuery6, Mtrace2Type::kReply, {response6()})), decode_mtrace2,
                           57);
  expect_no_prefix_decodes(
      encode_mtrace2(with(kQuery4, Mtrace2Type::kQuery, {Mtrace2Extended{true, 1, {1, 2}}})), decode_mtrace2,
      21);
}

TEST(Mtrace2, RefusesWhatIsWrong) {
  const Buffer query = encode_mtrace2(kQuery4);
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Buffer octets = query;
    octets[at] = value;
    return decode_mtrace2(octets).error();
  };
  EXPECT_EQ(changed(0, 0), ParseError::kUnknownType);
  EXPECT_EQ(changed(0, 4), ParseError::kUnknownType);  // a block is no message
  EXPECT_EQ(changed(2, 21), ParseError::kBadLength);
  EXPECT_EQ(changed(2, 0), ParseError::kBadLength);
  EXPECT_EQ(changed(2, 56), ParseError::kTruncated);  // says that it is IPv6

  const auto block = [&](const char* octets) {
    Buffer whole = query;
    for (const auto octet : hex(octets)) {
      whole.push_back(octet);
    }
    return decode_mtrace2(whole).error();
  };
  EXPECT_EQ(block("07 0004 00"), ParseError::kUnknownType);
  EXPECT_EQ(block("01 0014 20 ef010101 0a40000a c0a80114 1234 9c40"), ParseError::kUnknownType);
  EXPECT_EQ(block("05 0004 00"), ParseError::kBadLength);  // no room for its type
  EXPECT_EQ(block("05 0003 00"), ParseError::kBadLength);  // shorter than its head
  EXPECT_EQ(block("04 0003 00 0000"), ParseError::kBadLength);
  EXPECT_EQ(block("06 00ff 00 0000"), ParseError::kTruncated);
  EXPECT_EQ(block("04 0008 00 00000000"), ParseError::kBadLength);
}

TEST(Mtrace2, CountsResponsesOnly) {
  EXPECT_EQ(count_responses(kQuery4), 0U);
  EXPECT_EQ(
      count_responses(with(kQuery4, Mtrace2Type::kReply, {response4(), Mtrace2Augmented{}, response4()})),
      2U);
}

TEST(Mtrace2, SaysWhatACodeMeans) {
  EXPECT_EQ(describe(Mtrace2Code::kNotForwarding), "not forwarding");
  EXPECT_EQ(describe(static_cast<Mtrace2Code>(0x42)), "code 66");
  // IANA's numbers; in the first mtrace 0x82 was another code and 0x83 this one.
  EXPECT_EQ(describe(static_cast<Mtrace2Code>(0x80)), "fatal error");
  EXPECT_EQ(describe(static_cast<Mtrace2Code>(0x81)), "no space for more answers");
  EXPECT_EQ(describe(static_cast<Mtrace2Code>(0x82)), "prohibited by the administrator");
  EXPECT_EQ(describe(static_cast<Mtrace2Code>(0x83)), "code 131");
  for (const auto code : {Mtrace2Code::kNoError, Mtrace2Code::kPruneSent, Mtrace2Code::kInfoHidden,
                          Mtrace2Code::kRpfInterface}) {
    EXPECT_FALSE(ends_trace(code)) << describe(code);
  }
  for (const auto code : {Mtrace2Code::kWrongInterface, Mtrace2Code::kNoRoute, Mtrace2Code::kReachedRp,
                          Mtrace2Code::kNoSpace, Mtrace2Code::kReachedGateway}) {
    EXPECT_TRUE(ends_trace(code)) << describe(code);
  }
}

}  // namespace
}  // namespace hearthcast::wire
