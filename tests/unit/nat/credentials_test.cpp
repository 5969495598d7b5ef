#include "tunnelmgr/nat/credentials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tunnelmgr/secure/identity.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::nat {
namespace {

TEST(Credentials, BothEndsDeriveTheSame) {
  const secure::OpenSslCrypto crypto;
  const auto box = secure::make_identity();
  const auto device = secure::make_identity();
  const auto at_box = credentials_at_box(crypto, box, device.public_key());
  const auto at_device = credentials_at_device(crypto, device, box.public_key());
  ASSERT_TRUE(at_box && at_device);
  EXPECT_EQ(at_box->box, at_device->box);
  EXPECT_EQ(at_box->device, at_device->device);
  EXPECT_NE(at_box->box, at_box->device);
}

TEST(Credentials, AnotherDeviceHasOthers) {
  const secure::OpenSslCrypto crypto;
  const auto box = secure::make_identity();
  const auto one = credentials_at_box(crypto, box, secure::make_identity().public_key());
  const auto two = credentials_at_box(crypto, box, secure::make_identity().public_key());
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->box.ufrag, two->box.ufrag);
  EXPECT_NE(one->device.password, two->device.password);
}

TEST(Credentials,
     FormIsThatOfIce) {  // RFC 8445: ice-char is ALPHA, DIGIT, + and /; 24 bits and 128 bits at least
  const secure::OpenSslCrypto crypto;
  for (int i = 0; i < 50; ++i) {
    const auto c = standing_credentials(crypto, as_bytes("secret " + std::to_string(i)), {}, {});
    for (const Credentials& end : {c.box, c.device}) {
      EXPECT_EQ(end.ufrag.size(), 8U);
      EXPECT_EQ(end.password.size(), 24U);
      EXPECT_TRUE(std::ranges::all_of(end.ufrag + end.password,
                                      [](char ch) {
                                        return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                                               (ch >= '0' && ch <= '9') || ch == '+' || ch == '/';
                                      }))
          << end.ufrag << end.password;
    }
  }
}

TEST(Credentials, AKeyThatIsNoKeyGivesNone) {
  const secure::OpenSslCrypto crypto;
  EXPECT_FALSE(credentials_at_box(crypto, secure::make_identity(), as_bytes("no key")));
}

}  // namespace
}  // namespace hearthcast::nat
