#include "tunnelmgr/tunnel/flow_framing.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::tunnel {
namespace {

Endpoint at(const char* text) { return *Endpoint::parse(text); }

Buffer slot_with(Bytes payload) {
  Buffer slot(kFrameHeadroom, 0xEE);
  slot.insert(slot.end(), payload.begin(), payload.end());
  return slot;
}

TEST(FlowFraming, Ip4FrameHasGoldenOctets) {
  FlowFramer framer(FlowId{42}, at("239.1.1.2:5004"));
  auto slot = slot_with(as_bytes("hi"));
  const auto frame = framer.frame(slot, {at("192.0.2.1:1234"), 16, 0x28});
  ASSERT_TRUE(frame);
  EXPECT_EQ(to_hex(Bytes(*frame).first(12)),
            "30000800"
            "0000002a"
            "00000000");
  const auto ip = to_hex(Bytes(*frame).subspan(12));
  EXPECT_EQ(ip.substr(0, 20),
            "4528001e00004000"
            "0f11");
  EXPECT_EQ(ip.substr(24, 24),
            "c0000201"
            "ef010102"
            "04d2138c");
  EXPECT_EQ(ip.substr(ip.size() - 4), "6869");
}

TEST(FlowFraming, WhatIsFramedComesApartAlike) {
  const Buffer payload(1316, 0x47);
  for (const auto& [source, group] : {std::pair{"[2001:db8::1]:5000", "[ff3e::8000:1]:5004"},
                                      std::pair{"192.0.2.1:5000", "232.1.1.1:5004"}}) {
    FlowFramer framer(FlowId{0xFFFFFFFF}, at(group));
    for (std::uint32_t sequence = 0; sequence < 3; ++sequence) {
      auto slot = slot_with(payload);
      const auto frame = framer.frame(slot, {at(source), 64, 0});
      ASSERT_TRUE(frame);
      const auto inner = decode_inner_packet(*frame);
      ASSERT_TRUE(inner);
      EXPECT_EQ(inner->kind, InnerKind::kMedia);
      const auto media = decode_media(*inner);
      ASSERT_TRUE(media);
      EXPECT_EQ(media->flow, FlowId{0xFFFFFFFF});
      EXPECT_EQ(media->sequence, sequence);
      EXPECT_EQ(media->header.source, at(source));
      EXPECT_EQ(media->header.destination, at(group));
      EXPECT_EQ(media->header.hop_limit, 63);
      EXPECT_TRUE(equal(media->payload, payload));
      for (std::size_t n = 0; n < frame->size(); ++n) {
        const auto part = decode_inner_packet(frame->first(n));
        EXPECT_FALSE(part && decode_media(*part)) << n;
      }
    }
  }
}

TEST(FlowFraming, AUsedUpHopLimitOrAForeignFamilyTakesNoNumber) {
  FlowFramer framer(FlowId{1}, at("239.1.1.2:5004"));
  auto slot = slot_with(as_bytes("x"));
  EXPECT_FALSE(framer.frame(slot, {at("192.0.2.1:1"), 1, 0}));
  EXPECT_FALSE(framer.frame(slot, {at("192.0.2.1:1"), 0, 0}));
  EXPECT_FALSE(framer.frame(slot, {at("[2001:db8::1]:1"), 64, 0}));
  EXPECT_EQ(framer.next_sequence(), 0U);
  EXPECT_TRUE(framer.frame(slot, {at("192.0.2.1:1"), 2, 0}));
  EXPECT_EQ(framer.next_sequence(), 1U);
}

TEST(FlowFraming, UnicastIsNoMedia) {
  FlowFramer framer(FlowId{1}, at("192.0.2.9:5004"));
  auto slot = slot_with(as_bytes("x"));
  const auto frame = framer.frame(slot, {at("192.0.2.1:1"), 64, 0});
  ASSERT_TRUE(frame);
  const auto inner = decode_inner_packet(*frame);
  ASSERT_TRUE(inner);
  EXPECT_FALSE(decode_media(*inner));
}

TEST(InnerPacket, KindsAreToldApart) {
  const auto kind = [](const char* hex) { return decode_inner_packet(*from_hex(hex)); };
  EXPECT_EQ(kind("000088b50100")->kind, InnerKind::kControl);
  EXPECT_EQ(kind("000086dd6000")->kind, InnerKind::kMembership);
  EXPECT_EQ(kind("000008004500")->kind, InnerKind::kMembership);
  EXPECT_EQ(kind("300086dd00000001000000026000")->kind, InnerKind::kMedia);
  EXPECT_FALSE(kind("200086dd000000016000")) << "a key without a sequence number";
  EXPECT_FALSE(kind("100086dd000000016000"));
  EXPECT_FALSE(kind("300088b500000001000000020100")) << "control has no key";
  EXPECT_FALSE(kind("000065580000")) << "Ethernet";
  EXPECT_FALSE(kind("0001880b0000")) << "PPTP";
}

TEST(InnerPacket, MembershipIsPlainGre) {
  EXPECT_EQ(to_hex(encode_membership(*from_hex("6000"))), "000086dd6000");
  EXPECT_EQ(to_hex(encode_membership(*from_hex("4600"))), "000008004600");
}

}  // namespace
}  // namespace hearthcast::tunnel
