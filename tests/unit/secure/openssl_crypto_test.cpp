#include "tunnelmgr/secure/openssl_crypto.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::secure {
namespace {

const OpenSslCrypto kCrypto;

Buffer hex(std::string_view text) { return from_hex(text).value(); }

TEST(OpenSslCrypto, Sha256OfTheStandardsExample) {  // FIPS 180-4
  EXPECT_EQ(to_hex(kCrypto.sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(kCrypto.sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(OpenSslCrypto, HmacOfRfc4231AndRfc2202) {
  const Buffer key(20, 0x0b);
  EXPECT_EQ(to_hex(kCrypto.hmac_sha256(key, as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(kCrypto.hmac_sha1(key, as_bytes("Hi There"))), "b617318655057264e28bc0b6fb378c8ef146be00");
  const Buffer long_key(131, 0xaa);
  EXPECT_EQ(to_hex(kCrypto.hmac_sha256(long_key,
                                       as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(to_hex(kCrypto.hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(OpenSslCrypto, HkdfOfRfc5869) {  // appendix A.1 and A.3
  const Buffer secret(22, 0x0b);
  EXPECT_EQ(
      to_hex(kCrypto.hkdf_sha256(secret, hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42)),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(to_hex(kCrypto.hkdf_sha256(secret, {}, {}, 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(OpenSslCrypto, VerifiesOnlyTheRightKeyMessageAndSignature) {
  const OpenSslIdentity signer = make_identity();
  const OpenSslIdentity other = make_identity();
  const Bytes message = as_bytes("an introduction");
  const Buffer signature = signer.sign(message);
  EXPECT_TRUE(kCrypto.verify(signer.public_key(), message, signature));
  EXPECT_FALSE(kCrypto.verify(other.public_key(), message, signature));
  EXPECT_FALSE(kCrypto.verify(signer.public_key(), as_bytes("an introductiom"), signature));
  for (std::size_t size = 0; size < signature.size(); ++size) {
    EXPECT_FALSE(kCrypto.verify(signer.public_key(), message, Bytes(signature).first(size))) << size;
  }
}

TEST(OpenSslCrypto, RefusesEveryOtherFormOfAKey) {
  const OpenSslIdentity signer = make_identity();
  const Bytes message = as_bytes("m");
  const Buffer signature = signer.sign(message);
  const Buffer whole(signer.public_key().begin(), signer.public_key().end());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(kCrypto.verify(Bytes(whole).first(size), message, signature)) << size;
  }
  Buffer longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(kCrypto.verify(longer, message, signature));
  Buffer off_curve = whole;
  off_curve.back() ^= 1;
  EXPECT_FALSE(kCrypto.verify(off_curve, message, signature));
}

// A key on another curve, and the compressed form of a P-256 key (same point, other octets, so another id).
TEST(OpenSslCrypto, RefusesOtherCurvesAndCompressedPoints) {
  const OpenSslIdentity own = make_identity();
  EXPECT_FALSE(
      own.agree(hex("302a300506032b656e032100e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6"
                    "d0ab1c4c")));  // X25519
  EXPECT_FALSE(
      own.agree(hex("3039301306072a8648ce3d020106082a8648ce3d030107032200036b17d1f2e12c4247f8bce6e563a4"
                    "40f277037d812deb33a0f4a13945d898c296")));  // P-256 generator, compressed
}

TEST(OpenSslRandom, FillsEveryOctet) {
  OpenSslRandom random;
  Buffer seen(64, 0);
  for (int round = 0; round < 64; ++round) {
    Buffer octets(64, 0);
    random.fill(octets);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      seen[i] |= octets[i];
    }
  }
  EXPECT_EQ(seen, Buffer(64, 0xff));  // a wrong octet has a chance of 2^-64 per bit
  random.fill({});
}

}  // namespace
}  // namespace hearthcast::secure
