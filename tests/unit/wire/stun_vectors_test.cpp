// The test vectors of RFC 5769.
#include <gtest/gtest.h>

#include "tests/unit/wire/hashes.hpp"
#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::wire {
namespace {

constexpr std::string_view kPassword = "VOkJxbRl1RmTxUk/WvJxBt";
const Crypto& kCrypto = kTestCrypto;

const Buffer kRequest =
    hex("00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74"
        "00240004 6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020"
        "00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf");
const Buffer kResponse4 =
    hex("0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220"
        "00200008 0001a147 e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96");
const Buffer kResponse6 =
    hex("01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220"
        "00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
        "00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c");
const Buffer kLongTerm =
    hex("00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000"
        "0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e "
        "6f726700"
        "00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666");

TEST(StunVectors, Request) {  // section 2.1
  const auto m = decode_stun(kRequest);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->message_class, StunClass::kRequest);
  EXPECT_EQ(m->method, kStunBinding);
  EXPECT_EQ(m->software, "STUN test client");
  EXPECT_EQ(m->priority, 0x6E0001FFU);
  EXPECT_EQ(m->ice_controlled, 0x932FF9B151263B36U);
  EXPECT_EQ(m->username, "evtj:h6vY");
  EXPECT_TRUE(m->has_integrity);
  EXPECT_TRUE(m->has_fingerprint);
  EXPECT_TRUE(m->not_understood.empty());
  EXPECT_TRUE(check_integrity(kRequest, kCrypto, as_bytes(kPassword)));
  EXPECT_FALSE(check_integrity(kRequest, kCrypto, as_bytes("VOkJxbRl1RmTxUk/WvJxBu")));
}

TEST(StunVectors, ResponseWithIpv4) {  // section 2.2
  const auto m = decode_stun(kResponse4);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->message_class, StunClass::kSuccess);
  EXPECT_EQ(m->software, "test vector");
  EXPECT_EQ(m->xor_mapped_address, (Endpoint{ip("192.0.2.1"), 32853}));
  EXPECT_TRUE(check_integrity(kResponse4, kCrypto, as_bytes(kPassword)));
}

TEST(StunVectors, ResponseWithIpv6) {  // section 2.3
  const auto m = decode_stun(kResponse6);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->xor_mapped_address, (Endpoint{ip("2001:db8:1234:5678:11:2233:4455:6677"), 32853}));
  EXPECT_TRUE(check_integrity(kResponse6, kCrypto, as_bytes(kPassword)));
}

TEST(StunVectors, RequestWithLongTermCredentials) {  // section 2.4
  const auto m = decode_stun(kLongTerm);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->realm, "example.org");
  EXPECT_EQ(m->nonce, "f//499k954d6OL34oL9FSTvy64sA");
  EXPECT_FALSE(m->has_fingerprint);
  const std::string credentials = *m->username + ":example.org:TheMatrIX";
  std::array<std::uint8_t, 16> key{};
  EVP_Digest(credentials.data(), credentials.size(), key.data(), nullptr, EVP_md5(), nullptr);
  EXPECT_TRUE(check_integrity(kLongTerm, kCrypto, key));
}

TEST(StunVectors, EveryPrefixAndEveryFlippedBitIsRefused) {
  for (const Buffer& vector : {kRequest, kResponse4, kResponse6}) {
    expect_no_prefix_decodes(vector, decode_stun);
    for (std::size_t at = 0; at < vector.size(); ++at) {
      if (at == vector.size() - 8 || at == vector.size() - 7) {
        continue;  // another type than FINGERPRINT's: an attribute to ignore
      }
      Buffer changed = vector;
      changed[at] ^= 0x04;
      EXPECT_FALSE(decode_stun(changed)) << at;  // FINGERPRINT covers everything
    }
  }
}

}  // namespace
}  // namespace hearthcast::wire
