#include "tunnelmgr/base/text.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast {
namespace {

TEST(Base64url, VectorsOfRfc4648WithoutPadding) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64url(as_bytes(plain)), text);
    EXPECT_EQ(as_text(from_base64url(text).value()), plain);
  }
  EXPECT_EQ(to_base64url(Buffer{0xfb, 0xff}), "-_8");
  for (const char* bad : {"Zg==", "Zh", "A", "Zm9+", "Zm9/"}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
}

TEST(Port, IsADecimalNumberFrom1To65535) {
  EXPECT_EQ(parse_port("1"), 1);
  EXPECT_EQ(parse_port("65535"), 65535);
  for (const char* text : {"", "0", "65536", "-1", "+1", " 1", "1 ", "0x10", "80a", "99999999999"}) {
    EXPECT_EQ(parse_port(text), std::nullopt) << text;
  }
}

TEST(Hex, RoundTripsAndRefusesOddInput) {
  EXPECT_EQ(to_hex(Buffer{0x00, 0xaf}), "00af");
  EXPECT_EQ(from_hex("00AF").value(), (Buffer{0x00, 0xaf}));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Crockford, ForgivesWhatPeopleMistype) {
  EXPECT_EQ(to_crockford(Buffer{0xff, 0x00}, 3), "ZW0");
  EXPECT_EQ(from_crockford("zw-o").value(), (std::vector<std::uint8_t>{31, 28, 0}));
  EXPECT_EQ(from_crockford("iL").value(), (std::vector<std::uint8_t>{1, 1}));
  EXPECT_FALSE(from_crockford("U"));
}

TEST(IdentityId, TextIsSixtyFourDigits) {
  IdentityId id;
  id.digest[31] = 0xab;
  EXPECT_EQ(IdentityId::parse(id.to_string()), id);
  EXPECT_FALSE(IdentityId::parse("ab"));
}

TEST(Crypto, EqualIsExact) {
  EXPECT_TRUE(Crypto::equal(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(Crypto::equal(as_bytes("same"), as_bytes("sane")));
  EXPECT_FALSE(Crypto::equal(as_bytes("same"), as_bytes("sam")));
}

}  // namespace
}  // namespace hearthcast
