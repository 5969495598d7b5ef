#include "tunnelmgr/mcast/probe.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::mcast {
namespace {

const Probe kProbe{0x01020304, 0x1122334455667788, 1'700'000'000'123'456'789};

Buffer encoded(std::size_t size) {
  Buffer out(size, 0xEE);
  encode_probe(kProbe, out);
  return out;
}

TEST(Probe, HasTheRightOctets) {
  EXPECT_EQ(to_hex(encoded(kProbeSize)),
            "48434d5001000000010203041122334455667788"
            "17979cfe3d85cd15");
}

TEST(Probe, ReadsBackAndLeavesTheRestAlone) {
  const Buffer whole = encoded(1316);
  EXPECT_EQ(decode_probe(whole).value(), kProbe);
  EXPECT_EQ(whole[kProbeSize], 0xEE);
}

TEST(Probe, EveryPrefixIsRefused) {
  const Buffer whole = encoded(kProbeSize);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Buffer prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(decode_probe(prefix).error(), ParseError::kTruncated) << size;
  }
}

TEST(Probe, OtherPacketsAreToldApart) {
  Buffer other = encoded(kProbeSize);
  other[0] = 0x47;  // a transport stream
  EXPECT_EQ(decode_probe(other).error(), ParseError::kUnknownType);
  other = encoded(kProbeSize);
  other[4] = 2;
  EXPECT_EQ(decode_probe(other).error(), ParseError::kUnsupported);
}

}  // namespace
}  // namespace hearthcast::mcast
