#include "appliance/store/password.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::store {
namespace {

constexpr PasswordCost kCheap{.memory_kib = 64, .passes = 1};

TEST(Password, IsVerifiedAndNotStored) {
  secure::OpenSslRandom random;
  const std::string hash = hash_password(random, "correct horse", kCheap);
  EXPECT_THAT(hash, testing::StartsWith("$argon2id$"));
  EXPECT_THAT(hash, testing::Not(testing::HasSubstr("horse")));
  EXPECT_TRUE(verify_password(hash, "correct horse"));
  EXPECT_FALSE(verify_password(hash, "correct horsf"));
  EXPECT_FALSE(verify_password(hash, ""));
}

TEST(Password, EachHashHasItsOwnSalt) {
  secure::OpenSslRandom random;
  EXPECT_NE(hash_password(random, "same", kCheap), hash_password(random, "same", kCheap));
}

TEST(Password, WhatIsNoHashVerifiesNothing) {
  EXPECT_FALSE(verify_password("", ""));
  EXPECT_FALSE(verify_password("plain text", "plain text"));
  EXPECT_FALSE(verify_password("$argon2id$v=19$m=64,t=1,p=1$", "x"));
}

TEST(Password, TheOrdinaryCostIsWhatGuidesAskFor) {
  secure::OpenSslRandom random;
  const std::string hash = hash_password(random, "x");
  EXPECT_THAT(hash, testing::HasSubstr("m=32768,t=3,p=1"));
  EXPECT_TRUE(verify_password(hash, "x"));
}

}  // namespace
}  // namespace hearthcast::store
