#include "tunnelmgr/wire/ayiya.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/hashes.hpp"
#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/ayiya_signature.hpp"

namespace hearthcast::wire {
namespace {

// An ICMPv6 echo request from 2001:db8::2 to 2001:db8::1.
const Buffer kInner =
    hex("6000000000103a4020010db800000000000000000000000220010db800000000000000000000000180005067424200016162"
        "636465666768");
const Buffer kIdentity = hex("20010db8000000000000000000000002");
constexpr std::uint32_t kEpoch = 1700000000;
const AyiyaHashes kHashes{kTestCrypto, kTestOldHashes};

Buffer join(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

AyiyaPacket packet(AyiyaHash hash, AyiyaOpcode opcode, Bytes signature, Bytes payload) {
  return {.identity_type = AyiyaIdentityType::kInteger,
          .hash = hash,
          .authentication = AyiyaAuthentication::kSharedSecret,
          .opcode = opcode,
          .next_header = payload.empty() ? kNoNextHeader : std::uint8_t{41},
          .epoch = kEpoch,
          .identity = kIdentity,
          .signature = signature,
          .payload = payload};
}

Buffer made(const AyiyaSigner& signer, AyiyaOpcode opcode, Bytes payload) {
  const Buffer room(signer.signature_size());
  Buffer out = encode_ayiya(packet(signer.hash(), opcode, room, payload));
  signer.sign(out, 8 + kIdentity.size());
  return out;
}

void expect_same(const AyiyaPacket& a, const AyiyaPacket& b) {
  EXPECT_EQ(a.identity_type, b.identity_type);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_EQ(a.authentication, b.authentication);
  EXPECT_EQ(a.opcode, b.opcode);
  EXPECT_EQ(a.next_header, b.next_header);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_TRUE(equal(a.identity, b.identity));
  EXPECT_TRUE(equal(a.signature, b.signature));
  EXPECT_TRUE(equal(a.payload, b.payload));
}

TEST(Ayiya, HasTheOctetsOfTheDeployedProfile) {
  const AyiyaSigner signer(AyiyaHash::kSha1, as_bytes("secret"), kHashes);
  EXPECT_EQ(made(signer, AyiyaOpcode::kNothing, {}),
            join({hex("4152103b6553f100"), kIdentity, hex("4cb1502a94426bf9828d453ff1c7a16ad038a682")}));
  EXPECT_EQ(
      made(signer, AyiyaOpcode::kForward, kInner),
      join({hex("415211296553f100"), kIdentity, hex("3e4dbc46d3b01890992e63b1ad605f3bb9048293"), kInner}));
}

TEST(Ayiya, HasTheOctetsOfTheSha256Variant) {
  const AyiyaSigner signer(AyiyaHash::kSha256, as_bytes("secret"), kHashes);
  EXPECT_EQ(made(signer, AyiyaOpcode::kNothing, {}),
            join({hex("4184103b6553f100"), kIdentity,
                  hex("402b4a9f89cb6b955842f6bd664ff6e7f30ad47c1b364b5a8c41b09e6c2f84dd")}));
}

// Made with another HMAC: identity ...::2 and counter 0x6553f10000000001, key 00 01 .. 1f.
TEST(Ayiya, HasTheOctetsOfTheHardenedProfile) {
  Buffer key;
  for (std::uint8_t i = 0; i < 32; ++i) {
    key.push_back(i);
  }
  const AyiyaSigner signer(AyiyaHash::kHmacSha256, key, kHashes);
  const Buffer identity = hex("0000000000000002 6553f10000000001");
  const Buffer room(32);
  AyiyaPacket fields = packet(AyiyaHash::kHmacSha256, AyiyaOpcode::kForward, room, kInner);
  fields.identity = identity;
  Buffer out = encode_ayiya(fields);
  signer.sign(out, 24);
  EXPECT_EQ(out, join({hex("418511296553f100"), identity,
                       hex("1ec82a4a4bd5266f1e122fe9e17564f96b1340ebe4fcc599865a4b2132f2bd4b"), kInner}));
  EXPECT_TRUE(signer.verify(out));
}

TEST(Ayiya, VerifiesOnlyWhatWasSigned) {
  for (const AyiyaHash hash : {AyiyaHash::kSha1, AyiyaHash::kSha256, AyiyaHash::kHmacSha256}) {
    const AyiyaSigner signer(hash, as_bytes("a secret of some length"), kHashes);
    const AyiyaSigner other(hash, as_bytes("another"), kHashes);
    const Buffer right = made(signer, AyiyaOpcode::kForward, kInner);
    EXPECT_TRUE(signer.verify(right));
    EXPECT_FALSE(other.verify(right));
    for (std::size_t at = 0; at < right.size(); ++at) {
      Buffer wrong = right;
      wrong[at] ^= 0x01;
      EXPECT_FALSE(signer.verify(wrong)) << "octet " << at;
    }
  }
  const AyiyaSigner sha1(AyiyaHash::kSha1, as_bytes("s"), kHashes);
  const AyiyaSigner sha256(AyiyaHash::kSha256, as_bytes("s"), kHashes);
  EXPECT_FALSE(sha1.verify(made(sha256, AyiyaOpcode::kForward, kInner))) << "the receiver chooses the hash";
  EXPECT_FALSE(sha1.verify(hex("4100003b6553f100 20010db8000000000000000000000002")))
      << "no signature at all";
}

TEST(Ayiya, ReadsBackEverySizeOfIdentityAndSignature) {
  const Buffer octets(1024, 0x55);
  for (std::size_t identity = 1; identity <= 1024; identity *= 2) {
    for (std::size_t signature = 4; signature <= 60; signature += 4) {
      const AyiyaPacket whole{.identity_type = AyiyaIdentityType::kText,
                              .hash = AyiyaHash::kUmac,
                              .authentication = AyiyaAuthentication::kSharedSecret,
                              .opcode = AyiyaOpcode::kEchoRequestAndForward,
                              .next_header = 41,
                              .epoch = 0xFFFFFFFF,
                              .identity = Bytes(octets).first(identity),
                              .signature = Bytes(octets).first(signature),
                              .payload = kInner};
      const Buffer out = encode_ayiya(whole);
      EXPECT_EQ(out.size(), ayiya_header_size(whole) + kInner.size());
      const auto decoded = decode_ayiya(out);
      ASSERT_TRUE(decoded);
      expect_same(*decoded, whole);
    }
  }
}

TEST(Ayiya, NeedsNeitherIdentityNorSignature) {
  const AyiyaPacket bare{.opcode = AyiyaOpcode::kEchoResponse, .payload = kInner};
  const Buffer out = encode_ayiya(bare);
  EXPECT_TRUE(equal(Bytes(out).first(8), hex("0000043b00000000")));
  const auto decoded = decode_ayiya(out);
  ASSERT_TRUE(decoded);
  expect_same(*decoded, bare);
}

TEST(Ayiya, RefusesShortHeaders) {
  const AyiyaSigner signer(AyiyaHash::kSha1, as_bytes("secret"), kHashes);
  expect_no_prefix_decodes(made(signer, AyiyaOpcode::kNothing, {}), decode_ayiya);
}

TEST(Ayiya, RefusesReservedAndContradictingFields) {
  const auto error = [](const char* begin) { return decode_ayiya(join({hex(begin), Buffer(64)})).error(); };
  EXPECT_EQ(error("4352103b00000000"), ParseError::kUnsupported) << "identity type 3";
  EXPECT_EQ(error("4156103b00000000"), ParseError::kUnsupported) << "hash 6";
  EXPECT_EQ(error("4152303b00000000"), ParseError::kUnsupported) << "authentication 3";
  EXPECT_EQ(error("4152183b00000000"), ParseError::kUnsupported) << "opcode 8";
  EXPECT_EQ(error("4052103b00000000"), ParseError::kBadValue) << "an identity of no type";
  EXPECT_EQ(error("4150003b00000000"), ParseError::kBadValue) << "a signature of no hash";
  EXPECT_EQ(error("4100103b00000000"), ParseError::kBadValue) << "authenticated without a hash";
  EXPECT_EQ(error("4142103b00000000"), ParseError::kBadValue) << "SHA-1 of 16 octets";
  EXPECT_EQ(error("4155103b00000000"), ParseError::kBadValue) << "HMAC-SHA-256 of 20 octets";
  EXPECT_TRUE(decode_ayiya(join({hex("41f2203b00000000"), Buffer(76)})))
      << "a public key signs at any length";
}

}  // namespace
}  // namespace hearthcast::wire
