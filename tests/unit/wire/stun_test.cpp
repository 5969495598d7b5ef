#include "tunnelmgr/wire/stun.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/hashes.hpp"
#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::wire {
namespace {

const Crypto& kCrypto = kTestCrypto;
const Buffer kKey = hex("0102030405");

StunMessage binding_request() {
  StunMessage m;
  m.transaction = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  m.username = "box:away";
  m.priority = 0x6E7F1EFF;
  m.ice_controlling = 0x0102030405060708;
  m.use_candidate = true;
  return m;
}

// What decoding adds to what was encoded.
StunMessage as_decoded(StunMessage m, bool integrity) {
  m.has_integrity = integrity;
  m.has_fingerprint = true;
  return m;
}

TEST(Stun, HasTheRightOctets) {
  EXPECT_EQ(encode_stun(StunMessage{.transaction = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}),
            hex("00010008 2112a442 010203040506070809 0a0b0c 80280004 5b20f9cc"));
}

TEST(Stun, ReadsBackARequest) {
  const Buffer datagram = encode_stun(binding_request(), kCrypto, kKey);
  EXPECT_EQ(decode_stun(datagram).value(), as_decoded(binding_request(), true));
  EXPECT_TRUE(check_integrity(datagram, kCrypto, kKey));
  EXPECT_FALSE(check_integrity(datagram, kCrypto, hex("0102030406")));
}

TEST(Stun, ReadsBackEveryOtherAttribute) {
  StunMessage m;
  m.message_class = StunClass::kError;
  m.method = 0xABC;
  m.transaction.fill(0xFF);
  m.ice_controlled = ~std::uint64_t{0};
  m.error = StunError{420, "Unknown Attribute"};
  m.unknown_attributes = {0x0001, 0x7FFF, 0x0002};
  m.software = "hearthcast";
  m.realm = "";
  m.nonce = "n";
  m.padding = 61;
  m.xor_mapped_address = Endpoint{ip("2001:db8::1"), 65535};
  EXPECT_EQ(decode_stun(encode_stun(m)).value(), as_decoded(m, false));
  m.xor_mapped_address = Endpoint{ip("203.0.113.9"), 1};
  EXPECT_EQ(decode_stun(encode_stun(m)).value(), as_decoded(m, false));
}

TEST(Stun, KnowsEveryClassAndMethod) {
  for (const auto c : {StunClass::kRequest, StunClass::kIndication, StunClass::kSuccess, StunClass::kError}) {
    for (std::uint16_t method = 0; method < 0x1000; method = static_cast<std::uint16_t>(method + 0x111)) {
      const Buffer datagram = encode_stun({.message_class = c, .method = method});
      EXPECT_LT(datagram[0], 0x40);
      EXPECT_EQ(decode_stun(datagram)->message_class, c);
      EXPECT_EQ(decode_stun(datagram)->method, method);
    }
  }
}

// A message of raw attributes, without FINGERPRINT.
Buffer raw(const std::string& attributes) {
  const Buffer octets = hex(attributes);
  Buffer out = hex("0001 0000 2112a442 000000000000000000000000");
  Writer w(out);
  w.bytes(octets);
  w.patch_u16(2, static_cast<std::uint16_t>(octets.size()));
  return out;
}

TEST(Stun, AttributesBehindTheIntegrityDoNotCount) {
  const auto m =
      decode_stun(raw("00080014 0000000000000000000000000000000000000000 00250000 00060004 65766974"));
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->has_integrity);
  EXPECT_FALSE(m->use_candidate);
  EXPECT_FALSE(m->username);
}

TEST(Stun, TheFirstOfTwoEqualAttributesCounts) {
  EXPECT_EQ(decode_stun(raw("00240004 00000001 00240004 00000002"))->priority, 1U);
}

TEST(Stun, ReportsWhatItMustUnderstandAndDoesNot) {
  const auto m = decode_stun(raw("00030004 00000006 8888 0001 aa000000"));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->not_understood, std::vector<std::uint16_t>{0x0003});
}

TEST(Stun, RefusesMalformedAttributes) {
  for (const auto* attributes : {
           "00240003 00000100",                          // PRIORITY of three octets
           "00240008 0000000100000001",                  // of eight
           "80290004 00000001",                          // tie breaker of four
           "00250004 00000000",                          // USE-CANDIDATE with a value
           "00200008 0003a147 e112a643",                 // family 3
           "00200008 0002a147 e112a643",                 // IPv6 in four octets
           "00200004 0001a147",                          // no address
           "00090004 00000214",                          // error 220
           "00090004 00000464",                          // error 4 and 100
           "00090002 0000 0000",                         // too short for a code
           "000a0003 00010000",                          // half a type
           "00080010 00000000000000000000000000000000",  // integrity of 16
           "80280004 00000000",                          // wrong FINGERPRINT
           "80280004 00000000 00250000",                 // FINGERPRINT not last
           "0006ffff 00000000",                          // runs over the end
       }) {
    EXPECT_FALSE(decode_stun(raw(attributes))) << attributes;
  }
  EXPECT_FALSE(decode_stun(raw("80220300" + std::string(0x600, '0')))) << "SOFTWARE of 768 octets";
}

TEST(Stun, EncodesWithinThePrefixProperty) {
  expect_no_prefix_decodes(encode_stun(binding_request(), kCrypto, kKey), decode_stun);
}

TEST(Demux, TellsTheProtocolsApart) {
  EXPECT_EQ(classify({}), DatagramKind::kOther);
  EXPECT_EQ(classify(encode_stun(binding_request())), DatagramKind::kStun);
  EXPECT_EQ(classify(hex("16fefd")), DatagramKind::kDtls);
  EXPECT_EQ(classify(hex("3f")), DatagramKind::kDtls);
  EXPECT_EQ(classify(hex("14")), DatagramKind::kDtls);
  EXPECT_EQ(classify(hex("13")), DatagramKind::kOther);
  EXPECT_EQ(classify(hex("40000000")), DatagramKind::kOther);
  EXPECT_EQ(classify(hex("200086dd 00000001")), DatagramKind::kDtls) << "GRE is never on this port";
  Buffer wrong_length = encode_stun(binding_request());
  wrong_length.push_back(0);
  EXPECT_EQ(classify(wrong_length), DatagramKind::kOther);
  Buffer wrong_cookie = encode_stun(binding_request());
  wrong_cookie[4] ^= 1;
  EXPECT_EQ(classify(wrong_cookie), DatagramKind::kOther);
}

}  // namespace
}  // namespace hearthcast::wire
