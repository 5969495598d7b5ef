#include "tunnelmgr/secure/openssl_old_hashes.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::secure {
namespace {

const OpenSslOldHashes kHashes;

TEST(OpenSslOldHashes, Sha1OfTheStandardsExamples) {  // FIPS 180-4
  EXPECT_EQ(to_hex(kHashes.sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(kHashes.sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(OpenSslOldHashes, Md5OfRfc1321) {
  EXPECT_EQ(to_hex(kHashes.md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(to_hex(kHashes.md5({})), "d41d8cd98f00b204e9800998ecf8427e");
}

}  // namespace
}  // namespace hearthcast::secure
