#include "tunnelmgr/wire/igmp.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

using namespace std::chrono_literals;

const MembershipReport kReport{{{RecordType::kAllowNewSources, ip("232.1.1.1"), {ip("192.0.2.1")}},
                                {RecordType::kModeIsExclude, ip("239.1.1.1"), {}}}};

TEST(Igmp, HasTheRightOctets) {
  EXPECT_EQ(encode_igmp(kReport), hex("22003bf5 00000002 05000001 e8010101 c0000201 02000000 ef010101"));
  EXPECT_EQ(
      encode_igmp(MembershipQuery{
          .version = 3, .max_response = 2s, .group = ip("0.0.0.0"), .robustness = 2, .query_interval = 10s}),
      hex("1114ece1 00000000 020a0000"));
  EXPECT_EQ(encode_igmp(OldLeave{ip("239.1.1.1")}), hex("1700f8fc ef010101"));
}

TEST(Igmp, EveryMessageReadsBack) {
  const std::vector<MembershipMessage> messages{
      kReport,
      MembershipReport{},
      MembershipQuery{.version = 1, .group = ip("0.0.0.0")},
      MembershipQuery{.version = 2, .max_response = 25500ms, .group = ip("239.1.1.1")},
      MembershipQuery{.version = 3,
                      .max_response = 3174400ms,
                      .group = ip("239.1.1.1"),
                      .suppress = true,
                      .robustness = 7,
                      .query_interval = 31744s,
                      .sources = {ip("192.0.2.1"), ip("192.0.2.2")}},
      OldReport{1, ip("239.1.1.1")},
      OldReport{2, ip("239.1.1.1")},
      OldLeave{ip("239.1.1.1")},
  };
  for (const auto& message : messages) {
    EXPECT_EQ(decode_igmp(encode_igmp(message)).value(), message);
  }
}

TEST(Igmp, EveryPrefixIsRefused) {
  expect_no_prefix_decodes(encode_igmp(kReport), decode_igmp);
  expect_no_prefix_decodes(encode_igmp(OldReport{2, ip("239.1.1.1")}), decode_igmp);
  expect_no_prefix_decodes(encode_igmp(MembershipQuery{
                               .version = 3, .max_response = 1s, .group = ip("239.1.1.1"), .robustness = 2}),
                           decode_igmp);
}

TEST(Igmp, RefusesWhatIsWrong) {
  Buffer wrong = encode_igmp(kReport);
  wrong[12] ^= 1;
  EXPECT_EQ(decode_igmp(wrong).error(), ParseError::kBadChecksum);
  EXPECT_EQ(decode_igmp(hex("1400ebff 00000000")).error(), ParseError::kUnknownType);     // PIM of old
  EXPECT_EQ(decode_igmp(hex("2200ddfe 00000001")).error(), ParseError::kBadLength);       // no room
  EXPECT_EQ(decode_igmp(hex("1100eeff 00000000 0000")).error(), ParseError::kTruncated);  // no version
}

}  // namespace
}  // namespace hearthcast::wire
