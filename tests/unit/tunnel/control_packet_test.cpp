#include "tunnelmgr/tunnel/control_packet.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kGreHeader = 4;

Bytes payload_of(const Buffer& gre) { return Bytes(gre).subspan(kGreHeader); }

TEST(ControlPacket, FragmentHasGoldenOctets) {
  const Buffer body{'h', 'i'};
  const auto gre = encode(Fragment{7, 2, 3, body});
  EXPECT_EQ(to_hex(gre),
            "000088b5"
            "0100"
            "00000007"
            "0002"
            "0003"
            "6869");
  const auto decoded = decode_control_packet(payload_of(gre));
  ASSERT_TRUE(decoded);
  const auto& fragment = std::get<Fragment>(*decoded);
  EXPECT_EQ(fragment.message_id, 7U);
  EXPECT_EQ(fragment.index, 2U);
  EXPECT_EQ(fragment.count, 3U);
  EXPECT_TRUE(equal(fragment.body, body));
}

TEST(ControlPacket, AcknowledgementHasGoldenOctets) {
  const auto gre = encode(Acknowledgement{0x01020304, 0x0506});
  EXPECT_EQ(to_hex(gre),
            "000088b5"
            "0101"
            "01020304"
            "0506");
  const auto decoded = decode_control_packet(payload_of(gre));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<Acknowledgement>(*decoded), (Acknowledgement{0x01020304, 0x0506}));
}

TEST(ControlPacket, EveryPrefixIsRejected) {
  const Buffer body(kFragmentSize, 0x55);
  const auto fragment = encode(Fragment{1, 0, 2, body});
  const auto acknowledgement = encode(Acknowledgement{1, 0});
  for (const auto& whole : {fragment, acknowledgement}) {
    const auto payload = payload_of(whole);
    EXPECT_TRUE(decode_control_packet(payload));
    for (std::size_t n = 0; n < payload.size(); ++n) {
      EXPECT_FALSE(decode_control_packet(payload.first(n))) << n;
    }
  }
}

TEST(ControlPacket, RefusesWhatNoSenderSends) {
  const auto refuses = [](const char* hex) { return !decode_control_packet(*from_hex(hex)); };
  EXPECT_TRUE(refuses("0200000000010000000141"));  // version 2
  EXPECT_TRUE(refuses("0102000000010000000141"));  // kind 2
  EXPECT_TRUE(refuses("0100000000000000000141"));  // message id 0
  EXPECT_TRUE(refuses("0100000000010000000041"));  // no fragments
  EXPECT_TRUE(refuses("0100000000010001000141"));  // index beyond the count
  EXPECT_TRUE(refuses("0100000000010000100141"));  // 4097 fragments
  EXPECT_TRUE(refuses("0100000000010000000241"));  // a short one that is not the last
  EXPECT_FALSE(refuses("0100000000010000000141"));
  Buffer long_body(kFragmentSize + 1, 0);
  EXPECT_FALSE(decode_control_packet(payload_of(encode(Fragment{1, 0, 1, long_body}))));
}

}  // namespace
}  // namespace hearthcast::tunnel
