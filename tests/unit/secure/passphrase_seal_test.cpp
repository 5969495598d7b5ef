#include "tunnelmgr/secure/passphrase_seal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::secure {
namespace {

using testing::HasSubstr;

constexpr int kQuick = kLeastSealWork;

struct PassphraseSeal : testing::Test {
  Buffer seal(std::string_view plain, std::string_view passphrase = "correct horse") {
    return seal_by_passphrase(as_bytes(plain), passphrase, random, kQuick).value();
  }
  OpenSslRandom random;
};

TEST_F(PassphraseSeal, OpensByTheSamePassphrase) {
  for (const std::string& plain : {std::string(), std::string("x"), std::string(100'000, 'y')}) {
    const auto opened = open_by_passphrase(seal(plain), "correct horse");
    ASSERT_TRUE(opened) << opened.error().text;
    EXPECT_EQ(as_text(*opened), plain);
  }
}

TEST_F(PassphraseSeal, ShowsNothingAndIsAnotherEachTime) {
  const Buffer one = seal("the secret of the house");
  EXPECT_EQ(as_text(one).find("secret"), std::string_view::npos);
  EXPECT_NE(one, seal("the secret of the house"));
  EXPECT_EQ(one.size(), 49U + 23 + 16);
}

TEST_F(PassphraseSeal, AnotherPassphraseOpensNothing) {
  const Buffer sealed = seal("x");
  for (const char* const wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
    const auto opened = open_by_passphrase(sealed, wrong);
    ASSERT_FALSE(opened) << wrong;
    EXPECT_THAT(opened.error().text, HasSubstr("passphrase is another one"));
  }
}

TEST_F(PassphraseSeal, EveryChangedOctetIsNoticed) {
  const Buffer sealed = seal("attack at dawn");
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    if (at == 20) {
      continue;  // scrypt's work: below
    }
    Buffer changed = sealed;
    changed[at] ^= 1;
    EXPECT_FALSE(open_by_passphrase(changed, "correct horse")) << at;
  }
}

TEST_F(PassphraseSeal, EveryPrefixIsRefused) {
  const Buffer sealed = seal("attack at dawn");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(open_by_passphrase(Bytes(sealed).first(size), "correct horse")) << size;
  }
}

TEST_F(PassphraseSeal, WorkThatNobodyWouldAskForIsNotDone) {  // else a file could ask for all memory
  Buffer sealed = seal("x");
  for (const int work : {0, 9, 21, 63, 255}) {
    sealed[20] = static_cast<std::uint8_t>(work);
    const auto opened = open_by_passphrase(sealed, "correct horse");
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().text, HasSubstr("no file that `hearthcast-box export`"));
  }
  sealed[20] = static_cast<std::uint8_t>(kQuick + 1);
  EXPECT_FALSE(open_by_passphrase(sealed, "correct horse"));
}

TEST_F(PassphraseSeal, TheUsualWorkFitsIntoMemory) {
  const auto sealed = seal_by_passphrase(as_bytes("x"), "correct horse", random);
  ASSERT_TRUE(sealed) << sealed.error().text;
  EXPECT_EQ((*sealed)[20], kSealWork);
  EXPECT_TRUE(open_by_passphrase(*sealed, "correct horse"));
}

}  // namespace
}  // namespace hearthcast::secure
