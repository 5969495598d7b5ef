#include "tunnelmgr/wire/mld.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/octets.hpp"
#include "tunnelmgr/wire/floating_code.hpp"

namespace hearthcast::wire {
namespace {

using namespace std::chrono_literals;

Result<MembershipMessage> decode(std::uint8_t type, Bytes body) { return decode_mld({type, 0, body}); }

const MembershipReport kReport{
    {{RecordType::kChangeToInclude, ip("ff3e::1"), {ip("2001:db8::1"), ip("2001:db8::2")}},
     {RecordType::kModeIsExclude, ip("ff1e::2"), {}}}};

TEST(Mld, ReportHasTheRightOctets) {
  const auto encoded = encode_mld(kReport);
  EXPECT_EQ(encoded.type, 143);
  EXPECT_EQ(encoded.body, hex("00000002"
                              "03000002 ff3e0000000000000000000000000001"
                              "20010db8000000000000000000000001 20010db8000000000000000000000002"
                              "02000000 ff1e0000000000000000000000000002"));
}

TEST(Mld, QueryHasTheRightOctets) {
  const auto encoded = encode_mld(MembershipQuery{.max_response = 2s,
                                                  .group = ip("ff3e::1"),
                                                  .suppress = true,
                                                  .robustness = 2,
                                                  .query_interval = 10s,
                                                  .sources = {ip("2001:db8::1")}});
  EXPECT_EQ(encoded.type, 130);
  EXPECT_EQ(encoded.body, hex("07d00000 ff3e0000000000000000000000000001 0a0a0001"
                              "20010db8000000000000000000000001"));
}

TEST(Mld, EveryMessageReadsBack) {
  const std::vector<MembershipMessage> messages{
      kReport,
      MembershipReport{},
      MembershipQuery{.version = 1, .max_response = 65535ms, .group = ip("ff1e::1")},
      MembershipQuery{
          .version = 2, .max_response = 10s, .group = ip("::"), .robustness = 7, .query_interval = 125s},
      OldReport{1, ip("ff1e::9")},
      OldLeave{ip("ff1e::9")},
  };
  for (const auto& message : messages) {
    const auto encoded = encode_mld(message);
    EXPECT_EQ(decode(encoded.type, encoded.body).value(), message);
  }
}

TEST(Mld, EveryPrefixIsRefused) {
  const auto report = encode_mld(kReport);
  expect_no_prefix_decodes(report.body, [&](Bytes b) { return decode(report.type, b); });
  const auto old = encode_mld(OldReport{1, ip("ff1e::9")});
  expect_no_prefix_decodes(old.body, [&](Bytes b) { return decode(old.type, b); });
  const auto query = encode_mld(MembershipQuery{.group = ip("ff3e::1"), .sources = {ip("2001:db8::1")}});
  for (std::size_t size = 0; size < query.body.size(); ++size) {
    const auto decoded = decode(query.type, Bytes(query.body).first(size));
    EXPECT_EQ(decoded.has_value(), size == 20) << size;  // 20 octets are a whole query of MLDv1
  }
}

TEST(Mld, SkipsAuxiliaryDataAndTheEnd) {
  const auto decoded =
      decode(143, hex("00000001 04020000 ff3e0000000000000000000000000001 0102030405060708 ffff"));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<MembershipReport>(*decoded).records.at(0).type, RecordType::kChangeToExclude);
  EXPECT_FALSE(decode(143, hex("00000001 04030000 ff3e0000000000000000000000000001 0102030405060708")));
}

TEST(Mld, RefusesCountsThatCannotBe) {
  EXPECT_EQ(decode(143, hex("0000ffff 04000000 ff3e0000000000000000000000000001")).error(),
            ParseError::kBadLength);
  EXPECT_EQ(decode(143, hex("00000001 0400ffff ff3e0000000000000000000000000001")).error(),
            ParseError::kBadLength);
  EXPECT_EQ(decode(133, {}).error(), ParseError::kUnknownType);
}

TEST(FloatingCode, IsWhatTheRfcsSay) {
  using Octet = FloatingCode<4>;
  EXPECT_EQ(Octet::value(127), 127U);
  EXPECT_EQ(Octet::value(128), 128U);
  EXPECT_EQ(Octet::value(255), 31744U);
  EXPECT_EQ(FloatingCode<12>::value(0x8000), 32768U);
  EXPECT_EQ(FloatingCode<12>::value(0xFFFF), 8387584U);
  for (std::uint32_t code = 0; code < 256; ++code) {
    EXPECT_EQ(Octet::code(Octet::value(code)), code);
  }
  EXPECT_EQ(Octet::value(Octet::code(1000)), 992U) << "rounds down";
  EXPECT_EQ(Octet::code(1 << 30), 255U);
}

}  // namespace
}  // namespace hearthcast::wire
