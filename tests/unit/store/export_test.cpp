#include "appliance/store/export.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hearthcast::store {
namespace {

BoxExport box() { return {"-----BEGIN", Buffer{1, 2, 3}}; }

TEST(BoxExport, HasTheOctetsOfTheDocument) {
  EXPECT_EQ(as_text(encode(box())), std::string("HCX1\x0cidentity.pem\0\0\0\x0a-----BEGIN\x0a"
                                                "box.sqlite\0\0\0\x03\1\2\3",
                                                4 + 13 + 4 + 10 + 11 + 4 + 3));
}

TEST(BoxExport, ReadsBack) { EXPECT_EQ(decode_box_export(encode(box())).value(), box()); }

TEST(BoxExport, PassesOverPartsOfLaterVersions) {
  Buffer octets = encode(box());
  for (const int octet : {1, int{'x'}, 0, 0, 0, 2, 7, 7}) {
    octets.push_back(static_cast<std::uint8_t>(octet));
  }
  EXPECT_EQ(decode_box_export(octets).value(), box());
}

TEST(BoxExport, RefusesEveryPrefix) {
  const Buffer octets = encode(box());
  for (std::size_t size = 0; size < octets.size(); ++size) {
    EXPECT_FALSE(decode_box_export(Bytes(octets).first(size))) << size;
  }
}

TEST(BoxExport, RefusesWhatIsNoneOrLacksAPart) {
  EXPECT_EQ(decode_box_export(as_bytes("HCX2")).error(), ParseError::kUnknownType);
  EXPECT_FALSE(decode_box_export(encode(BoxExport{"", Buffer{1}})));
  EXPECT_FALSE(decode_box_export(encode(BoxExport{"x", {}})));
  EXPECT_FALSE(decode_box_export(as_bytes(std::string("HCX1\x01x\xff\xff\xff\xff", 10))));
}

}  // namespace
}  // namespace hearthcast::store
