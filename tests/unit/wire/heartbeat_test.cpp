#include "tunnelmgr/wire/heartbeat.hpp"

#include <gtest/gtest.h>

#include "tests/unit/wire/hashes.hpp"
#include "tests/unit/wire/octets.hpp"

namespace hearthcast::wire {
namespace {

const std::string kSample = "HEARTBEAT TUNNEL 2001:db8::2 sender 1700000000 2276ec7ba9074fe50eb519a0b0d8bd2b";

Buffer octets(std::string_view text) { return {text.begin(), text.end()}; }
Result<Heartbeat> decode(std::string_view text) { return decode_heartbeat(as_bytes(text)); }
bool is_signed(std::string_view text, std::string_view password = "secret") {
  return is_heartbeat_signed(as_bytes(text), password, kTestOldHashes);
}

TEST(Heartbeat, HasTheTextOfTheKnownExample) {
  const Heartbeat heartbeat{
      .tunnel = ip("2001:db8::2"), .address = std::nullopt, .time = 1700000000, .digest = {}};
  EXPECT_EQ(encode_heartbeat(heartbeat, "secret", kTestOldHashes), octets(kSample));
}

TEST(Heartbeat, ReadsBack) {
  for (const auto& address : {std::optional<IpAddress>(), std::optional(ip("192.0.2.7"))}) {
    Heartbeat heartbeat{
        .tunnel = ip("2001:db8:1::2"), .address = address, .time = 0xFFFFFFFFFF, .digest = {}};
    const Buffer out = encode_heartbeat(heartbeat, "pass word", kTestOldHashes);
    const auto decoded = decode_heartbeat(out);
    ASSERT_TRUE(decoded);
    heartbeat.digest = decoded->digest;
    EXPECT_EQ(*decoded, heartbeat);
    EXPECT_TRUE(is_heartbeat_signed(out, "pass word", kTestOldHashes));
  }
}

TEST(Heartbeat, BelievesOnlyWhatThePasswordSigned) {
  EXPECT_TRUE(is_signed(kSample));
  EXPECT_TRUE(is_signed(kSample + "\r\n"));
  EXPECT_FALSE(is_signed(kSample, "Secret"));
  for (std::size_t at = 0; at < kSample.size(); ++at) {
    std::string wrong = kSample;
    wrong[at] = wrong[at] == '1' ? '3' : '1';
    EXPECT_FALSE(is_signed(wrong)) << at;
  }
}

TEST(Heartbeat, CountsTheSendersOwnSpelling) {  // who writes 2001:DB8:0::2 has signed that
  const std::string text = "HEARTBEAT TUNNEL 2001:DB8:0::2 sender 1700000000 ";
  const auto digest = kTestOldHashes.md5(as_bytes(text + "secret"));
  EXPECT_TRUE(is_signed(text + to_hex(digest)));
  EXPECT_EQ(decode(text + to_hex(digest))->tunnel, ip("2001:db8::2"));
}

TEST(Heartbeat, RefusesEveryPrefix) { expect_no_prefix_decodes(octets(kSample), decode_heartbeat); }

TEST(Heartbeat, RefusesWhatIsNoHeartbeat) {
  const std::string digits(32, 'a');
  EXPECT_EQ(decode("HELLO").error(), ParseError::kUnknownType);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL 192.0.2.1 sender 1 " + digits).error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 2001:db8::1 1 " + digits).error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 nobody 1 " + digits).error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 sender -1 " + digits).error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 sender 1x " + digits).error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 sender 99999999999999999999 " + digits).error(),
            ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1  sender 1 " + digits).error(), ParseError::kTruncated);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 sender 1 " + digits + "a").error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL ::1 sender 1 " + std::string(32, 'g')).error(), ParseError::kBadValue);
  EXPECT_EQ(decode("HEARTBEAT TUNNEL " + std::string(300, '1')).error(), ParseError::kBadLength);
}

}  // namespace
}  // namespace hearthcast::wire
