// What TURN adds to STUN. The golden octets were made by a few lines of another language's struct, zlib and
// hmac, after RFC 8656 section 18 and RFC 8489 section 14.
#include <gtest/gtest.h>

#include "tests/unit/wire/hashes.hpp"
#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::wire {
namespace {

const Crypto& kCrypto = kTestCrypto;
const Endpoint kPeer{ip("192.0.2.1"), 32853};  // its hidden form is that of RFC 5769 section 2.2
const TransactionId kId{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

StunMessage message(std::uint16_t method, StunClass message_class = StunClass::kRequest) {
  StunMessage m;
  m.message_class = message_class;
  m.method = method;
  m.transaction = kId;
  return m;
}

StunMessage as_decoded(StunMessage m) {
  m.has_fingerprint = true;
  return m;
}

Buffer sha256_of(const std::string& text) {
  Buffer out(32);
  EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr);
  return out;
}

void expect_octets(const StunMessage& m, const std::string& octets) {
  EXPECT_EQ(encode_stun(m), hex(octets));
  EXPECT_EQ(decode_stun(hex(octets)).value(), as_decoded(m));
  expect_no_prefix_decodes(hex(octets), decode_stun);
}

TEST(StunTurn, Allocate) {
  StunMessage m = message(kTurnAllocate);
  m.requested_transport = kTransportUdp;
  expect_octets(m, "00030010 2112a442 0102030405060708090a0b0c 00190004 11000000 80280004 41c778f0");
}

TEST(StunTurn, AllocateInBothFamilies) {
  StunMessage m = message(kTurnAllocate);
  m.requested_transport = kTransportUdp;
  m.additional_family = kTurnFamilyIp6;
  expect_octets(m,
                "00030020 2112a442 0102030405060708090a0b0c 00190004 11000000 80000004 02000000"
                "80320004 02000000 80280004 a79ae7ce");
}

TEST(StunTurn, OfRelayedAddressesTheFirstOfEachFamilyCounts) {
  StunMessage m = message(kTurnAllocate, StunClass::kSuccess);
  m.xor_relayed_address = kPeer;
  m.additional_relayed_address = Endpoint{ip("2001:db8::10"), 50002};
  EXPECT_EQ(decode_stun(encode_stun(m)).value(), as_decoded(m));
  const auto both = *m.additional_relayed_address;
  m.additional_relayed_address = Endpoint{ip("198.51.100.1"), 50004};
  EXPECT_EQ(decode_stun(encode_stun(m))->additional_relayed_address, std::nullopt) << "the same family again";
  m.xor_relayed_address = both;
  m.additional_relayed_address = kPeer;
  EXPECT_EQ(decode_stun(encode_stun(m))->additional_relayed_address, kPeer) << "in either order";
}

TEST(StunTurn, AllocateAnswered) {
  StunMessage m = message(kTurnAllocate, StunClass::kSuccess);
  m.xor_mapped_address = kPeer;
  m.lifetime = 600;
  m.xor_relayed_address = kPeer;
  expect_octets(m,
                "01030028 2112a442 0102030405060708090a0b0c 00200008 0001a147e112a643 000d0004 00000258"
                "00160008 0001a147e112a643 80280004 6ed87ab1");
}

TEST(StunTurn, ChannelBind) {
  StunMessage m = message(kTurnChannelBind);
  m.channel_number = 0x4001;
  m.xor_peer_addresses = {kPeer};
  expect_octets(m,
                "0009001c 2112a442 0102030405060708090a0b0c 000c0004 40010000 00120008 0001a147e112a643"
                "80280004 218dc511");
}

TEST(StunTurn, SendIndication) {
  StunMessage m = message(kTurnSend, StunClass::kIndication);
  m.xor_peer_addresses = {kPeer};
  m.data = Buffer{'h', 'e', 'l', 'l', 'o'};
  expect_octets(m,
                "00160020 2112a442 0102030405060708090a0b0c 00120008 0001a147e112a643"
                "00130005 68656c6c6f000000 80280004 ca30159f");
}

TEST(StunTurn, ReadsBackEveryOtherAttribute) {
  StunMessage m = message(kTurnCreatePermission, StunClass::kError);
  m.error = StunError{300, "Try Alternate"};
  m.alternate_server = Endpoint{ip("2001:db8::7"), 3479};
  m.password_algorithms = {kPasswordSha256, 7, kPasswordMd5};
  m.password_algorithm = kPasswordMd5;
  m.xor_peer_addresses = {kPeer, Endpoint{ip("2001:db8::1"), 0}, Endpoint{ip("198.51.100.1"), 0}};
  m.data = Buffer{};
  EXPECT_EQ(decode_stun(encode_stun(m)).value(), as_decoded(m));
}

TEST(StunTurn, AlternateServerIsNotHidden) {
  StunMessage m = message(kTurnAllocate);
  m.alternate_server = kPeer;
  const Buffer octets = encode_stun(m);
  EXPECT_EQ(Buffer(octets.begin() + 20, octets.begin() + 32), hex("80230008 00018055 c0000201"));
}

TEST(StunTurn, Sha256Integrity) {
  StunMessage m = message(kTurnRefresh);
  m.username = "user";
  m.realm = "realm";
  m.nonce = "obMatJos2gAAAnonce";
  m.lifetime = 0;
  m.password_algorithms = {kPasswordSha256, kPasswordMd5};
  m.password_algorithm = kPasswordSha256;
  const Buffer key = sha256_of("user:realm:pass");
  const Buffer octets = encode_stun(m, kCrypto, key, StunIntegrity::kSha256);
  EXPECT_EQ(octets,
            hex("000400742112a4420102030405060708090a0b0c0006000475736572001400057265616c6d0000000015001"
                "26f624d61744a6f7332674141416e6f6e63650000000d000400000000800200080002000000010000001d00"
                "0400020000001c0020a7c745d73d75a6d8de56de99d9456b1355e907295006b8597957cb64a2fbf94780280"
                "004911f0bd0"));
  const auto decoded = decode_stun(octets);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->has_integrity_sha256);
  EXPECT_FALSE(decoded->has_integrity);
  EXPECT_EQ(decoded->password_algorithms, m.password_algorithms);
  EXPECT_TRUE(check_integrity_sha256(octets, kCrypto, key));
  EXPECT_FALSE(check_integrity_sha256(octets, kCrypto, sha256_of("user:realm:guess")));
  EXPECT_FALSE(check_integrity(octets, kCrypto, key)) << "it has no MESSAGE-INTEGRITY";
  expect_no_prefix_decodes(octets, decode_stun);
}

TEST(StunTurn, ATruncatedSha256IntegrityDecodesAndProvesNothing) {
  StunMessage m = message(kTurnRefresh);
  Buffer octets = encode_stun(m);
  octets.resize(20);
  Writer w(octets);
  w.u16(0x001C);
  w.u16(16);
  w.zeros(16);
  w.patch_u16(2, 20);
  ASSERT_TRUE(decode_stun(octets));
  EXPECT_FALSE(check_integrity_sha256(octets, kCrypto, {}));
  octets[23] = 12;  // shorter than RFC 8489 allows: the rest no longer adds up either
  EXPECT_FALSE(decode_stun(octets));
}

TEST(StunTurn, WhatStandsBehindASha256IntegrityDoesNotCount) {
  StunMessage m = message(kTurnRefresh);
  Buffer octets = encode_stun(m, kCrypto, hex("01"), StunIntegrity::kSha256);
  octets.resize(octets.size() - 8);  // without FINGERPRINT
  Writer w(octets);
  w.u16(0x000D);
  w.u16(4);
  w.u32(600);
  w.patch_u16(2, static_cast<std::uint16_t>(octets.size() - 20));
  const auto decoded = decode_stun(octets);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->lifetime);
}

Buffer raw(const std::string& attributes) {
  Buffer out = hex("0003 0000 2112a442 000000000000000000000000" + attributes);
  Writer(out).patch_u16(2, static_cast<std::uint16_t>(out.size() - 20));
  return out;
}

TEST(StunTurn, RefusesMalformedAttributes) {
  for (const auto* attributes : {
           "000c0002 40010000",           // a channel number of two octets
           "000d0002 02580000",           // a lifetime of two
           "00120004 0001a147",           // no address
           "00120008 0003a147e112a643",   // of family 3
           "00160000",                    // no relayed address
           "00190001 11000000",           // a transport of one octet
           "80230004 00010d97",           // no address
           "001d0002 00020000",           // no length of parameters
           "001d0004 00020004",           // parameters that are not there
           "001d0008 0002000000010000",   // two algorithms where one is meant
           "80020006 00020000 00010000",  // half an algorithm
       }) {
    EXPECT_FALSE(decode_stun(raw(attributes))) << attributes;
  }
}

TEST(StunTurn, ParametersOfAnAlgorithmArePassedOver) {
  const auto m = decode_stun(raw("8002000c 00090003 aabbcc00 00010000"));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->password_algorithms, (std::vector<std::uint16_t>{9, 1}));
}

}  // namespace
}  // namespace hearthcast::wire
