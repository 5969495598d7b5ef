#include "tunnelmgr/tunnel/path_probe.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/control_packet.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"

namespace hearthcast::tunnel {
namespace {

std::optional<PathProbe> decoded(Bytes gre) {
  const auto inner = decode_inner_packet(gre);
  EXPECT_TRUE(inner && inner->kind == InnerKind::kControl);
  return decode_path_probe(inner->payload);
}

TEST(PathProbe, HasGoldenOctets) {
  EXPECT_EQ(to_hex(encode(PathProbe{false, 7, 1492, 1280}, 18)),
            "000088b5"
            "0103"
            "00000007"
            "05d4"
            "0500"
            "00000000");
  EXPECT_EQ(to_hex(encode(PathProbe{true, 7, 1492, 1280})), "000088b501040000000705d40500");
}

TEST(PathProbe, ComesApartAlikeAndIsAsLargeAsWanted) {
  for (const PathProbe& probe : {PathProbe{false, 1, 1280, 0}, PathProbe{false, 0xFFFFFFFF, 65535, 1500},
                                 PathProbe{true, 3, 1500, 1492}}) {
    for (const std::size_t size : {0U, 14U, 15U, 1447U}) {
      const auto packet = encode(probe, size);
      EXPECT_EQ(packet.size(), std::max<std::size_t>(size, 14));
      EXPECT_EQ(decoded(packet), probe);
    }
  }
}

TEST(PathProbe, EveryPrefixIsRejected) {
  const auto packet = encode(PathProbe{true, 3, 1500, 1492});
  for (std::size_t n = 4; n < packet.size(); ++n) {
    EXPECT_FALSE(decode_path_probe(Bytes(packet).subspan(4, n - 4))) << n;
  }
}

TEST(PathProbe, OtherControlPacketsAreNoProbesAndTheReverse) {
  EXPECT_FALSE(decoded(encode(Acknowledgement{1, 0})));
  EXPECT_FALSE(decoded(encode(Fragment{1, 0, 1, as_bytes("x")})));
  EXPECT_FALSE(decoded(*from_hex("000088b502030000000105d40000")));  // version 2
  EXPECT_FALSE(decode_control_packet(Bytes(encode(PathProbe{true, 3, 1500, 1492})).subspan(4)));
}

}  // namespace
}  // namespace hearthcast::tunnel
