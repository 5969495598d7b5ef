#include "tunnelmgr/base/bytes.hpp"

#include <gtest/gtest.h>

namespace hearthcast {
namespace {

TEST(Reader, ReadsBigEndianAndLatchesFailure) {
  const Buffer octets{1, 2, 3, 4, 5, 6, 7};
  Reader r(octets);
  EXPECT_EQ(r.u8(), 1);
  EXPECT_EQ(r.u16(), 0x0203);
  EXPECT_EQ(r.u32(), 0x04050607U);
  EXPECT_EQ(r.left(), 0U);
  EXPECT_FALSE(r.failed());
  EXPECT_EQ(r.u8(), 0);
  EXPECT_TRUE(r.failed());
}

TEST(Reader, AShortReadTakesNothing) {
  const Buffer octets{1, 2, 3};
  Reader r(octets);
  EXPECT_EQ(r.u32(), 0U);
  EXPECT_TRUE(r.failed());
  EXPECT_TRUE(r.take(1).empty());  // failure is sticky although octets are left
}

TEST(Writer, IsTheInverseOfReader) {
  Buffer out;
  Writer w(out);
  w.u8(0xab);
  w.u16(0xcdef);
  w.u32(0x01234567);
  w.u64(0x89abcdef01234567);
  w.zeros(2);
  w.patch_u16(1, 0x1122);
  Reader r(out);
  EXPECT_EQ(r.u8(), 0xab);
  EXPECT_EQ(r.u16(), 0x1122);
  EXPECT_EQ(r.u32(), 0x01234567U);
  EXPECT_EQ(r.u64(), 0x89abcdef01234567U);
  EXPECT_EQ(r.rest().size(), 2U);
}

TEST(Bytes, EqualComparesLengthToo) {
  EXPECT_TRUE(equal(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace hearthcast
