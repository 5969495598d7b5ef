#include "tunnelmgr/nat/long_term.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/openssl_old_hashes.hpp"

namespace hearthcast::nat {
namespace {

struct LongTermTest : testing::Test {
  static wire::StunMessage challenge(const std::string& nonce, std::vector<std::uint16_t> algorithms = {}) {
    wire::StunMessage m;
    m.message_class = wire::StunClass::kError;
    m.error = wire::StunError{401, ""};
    m.realm = "example.org";
    m.nonce = nonce;
    m.password_algorithms = std::move(algorithms);
    return m;
  }

  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes hashes;
  LongTerm credentials{crypto, hashes};
};

TEST_F(LongTermTest, WithoutAChallengeNothingIsTold) {
  credentials.set_account("user", "password");
  const auto m = wire::decode_stun(credentials.seal({}));
  EXPECT_FALSE(m->username);
  EXPECT_FALSE(m->has_integrity);
  EXPECT_FALSE(credentials.proves(credentials.seal({})));
}

TEST_F(LongTermTest, ProvesTheRequestOfRfc5769) {  // section 2.4: the key is that of its account
  const auto request = from_hex(
      "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000"
      "0015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f726700"
      "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666");
  ASSERT_TRUE(request);
  const auto decoded = wire::decode_stun(*request);
  ASSERT_TRUE(decoded);
  credentials.set_account(*decoded->username, "TheMatrIX");
  EXPECT_FALSE(credentials.proves(*request)) << "the realm is not known yet";
  ASSERT_TRUE(credentials.on_challenge(challenge(*decoded->nonce)));
  EXPECT_TRUE(credentials.proves(*request));
  credentials.set_account(*decoded->username, "TheMatrIY");
  EXPECT_FALSE(credentials.proves(*request));
}

TEST_F(LongTermTest, AnAccountGivenAfterTheChallengeCounts) {
  ASSERT_TRUE(credentials.on_challenge(challenge("nonce")));
  credentials.set_account("user", "password");
  const Buffer octets = credentials.seal({});
  const auto m = wire::decode_stun(octets);
  EXPECT_EQ(m->username, "user");
  EXPECT_EQ(m->realm, "example.org");
  EXPECT_EQ(m->nonce, "nonce");
  EXPECT_TRUE(wire::check_integrity(octets, crypto, hashes.md5(as_bytes("user:example.org:password"))));
}

TEST_F(LongTermTest, TakesTheBestAlgorithmThatTheServerLists) {
  credentials.set_account("user", "password");
  ASSERT_TRUE(
      credentials.on_challenge(challenge("obMatJos2gAAAnonce", {wire::kPasswordMd5, wire::kPasswordSha256})));
  const Buffer octets = credentials.seal({});
  const auto m = wire::decode_stun(octets);
  EXPECT_EQ(m->password_algorithm, wire::kPasswordSha256);
  EXPECT_EQ(m->password_algorithms, (std::vector{wire::kPasswordMd5, wire::kPasswordSha256})) << "as listed";
  EXPECT_FALSE(m->has_integrity);
  EXPECT_TRUE(
      wire::check_integrity_sha256(octets, crypto, crypto.sha256(as_bytes("user:example.org:password"))));
  EXPECT_TRUE(credentials.proves(octets));
}

TEST_F(LongTermTest, AListOfTheOldOneAloneIsTaken) {
  credentials.set_account("user", "password");
  ASSERT_TRUE(credentials.on_challenge(challenge("obMatJos2gAAAnonce", {wire::kPasswordMd5})));
  const Buffer octets = credentials.seal({});
  EXPECT_TRUE(
      wire::check_integrity_sha256(octets, crypto, hashes.md5(as_bytes("user:example.org:password"))));
}

TEST_F(LongTermTest, AMissingListIsNoticed) {  // somebody on the way wants the weaker key
  for (const auto* nonce : {"obMatJos2gAAAnonce", "obMatJos2/AAAnonce", "obMatJos20AAA"}) {
    EXPECT_FALSE(credentials.on_challenge(challenge(nonce))) << nonce;
  }
  for (const auto* nonce : {"obMatJos2AAAAnonce", "obMatJos2fAAAnonce", "obMatJos2", "nonce"}) {
    EXPECT_TRUE(credentials.on_challenge(challenge(nonce))) << nonce;
  }
}

TEST_F(LongTermTest, UnusableChallengesAreRefusedAndChangeNothing) {
  auto m = challenge("nonce");
  m.realm.reset();
  EXPECT_FALSE(credentials.on_challenge(m));
  m = challenge("nonce");
  m.nonce.reset();
  EXPECT_FALSE(credentials.on_challenge(m));
  EXPECT_FALSE(credentials.on_challenge(challenge("obMatJos2gAAAnonce", {77})));
  EXPECT_FALSE(credentials.challenged());
}

TEST_F(LongTermTest, AnotherServerIsAskedAnew) {
  ASSERT_TRUE(credentials.on_challenge(challenge("nonce")));
  credentials.forget_challenge();
  EXPECT_FALSE(credentials.challenged());
  EXPECT_FALSE(wire::decode_stun(credentials.seal({}))->realm);
}

}  // namespace
}  // namespace hearthcast::nat
