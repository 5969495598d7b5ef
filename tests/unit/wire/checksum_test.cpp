#include "tunnelmgr/wire/checksum.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/crc32.hpp"

namespace hearthcast::wire {
namespace {

// The definition, one 16-bit word at a time.
std::uint16_t slow(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

TEST(Checksum, WorksTheExampleOfRfc1071) {  // section 3: the sum is ddf2
  EXPECT_EQ(checksum(hex("0001 f203 f4f5 f6f7")), 0xFFFF ^ 0xDDF2);
}

TEST(Checksum, AgreesWithTheDefinitionForEverySizeAndCarry) {
  Buffer bytes;
  for (unsigned i = 0; i < 300; ++i) {
    EXPECT_EQ(checksum(bytes), slow(bytes)) << i;
    bytes.push_back(static_cast<std::uint8_t>(i * 151 + (i % 3 == 0 ? 255 : 0)));
  }
  const Buffer ones(65535, 0xFF);
  EXPECT_EQ(checksum(ones), slow(ones));
}

TEST(Checksum, GrowsByPieces) {
  const Buffer whole = hex("0102030405060708090a0b");
  Checksum sum;
  sum.add(Bytes(whole).first(6));
  sum.add_u16(0x0708);
  sum.add(Bytes(whole).subspan(8));
  EXPECT_EQ(sum.value(), checksum(whole));
}

TEST(Checksum, CoversThePseudoHeader) {
  Checksum sum;
  sum.add_pseudo_header(ip("192.0.2.1"), ip("192.0.2.2"), 17, 0x12345);
  const Buffer pseudo = hex("c0000201 c0000202 0001 2345 0011");
  EXPECT_EQ(sum.value(), checksum(pseudo));
}

TEST(Crc32, HasTheCheckValuesOfItsKinds) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926);
  EXPECT_EQ(crc32_mpeg2(as_bytes("123456789")), 0x0376E6E7U);
  EXPECT_EQ(crc32({}), 0U);
}

}  // namespace
}  // namespace hearthcast::wire
