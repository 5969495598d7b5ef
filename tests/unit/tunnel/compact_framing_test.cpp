#include "tunnelmgr/tunnel/compact_framing.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"

namespace hearthcast::tunnel {
namespace {

Endpoint at(const char* text) { return *Endpoint::parse(text); }

Buffer framed(FlowFramer& framer, const char* source, Bytes payload, std::uint8_t traffic_class = 0x28) {
  Buffer slot(kFrameHeadroom);
  slot.insert(slot.end(), payload.begin(), payload.end());
  const auto frame = framer.frame(slot, {at(source), 16, traffic_class});
  EXPECT_TRUE(frame);
  return {frame->begin(), frame->end()};
}

Buffer counting(std::size_t size) {
  Buffer payload(size);
  for (std::size_t i = 0; i < size; ++i) {
    payload[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  }
  return payload;
}

Result<CompactPacket> decoded(Bytes gre) {
  const auto inner = decode_inner_packet(gre);
  if (!inner) {
    return inner.error();
  }
  EXPECT_EQ(inner->kind, InnerKind::kCompact);
  return decode_compact(*inner);
}

TEST(CompactFraming, OnePieceHasGoldenOctets) {
  FlowFramer framer(FlowId{42}, at("239.1.1.2:5004"));
  Buffer room(kCompactRoom);
  const auto made = to_compact(framed(framer, "192.0.2.1:1234", as_bytes("hi")), MediaForm::kCompact, room);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->count, 1U);
  EXPECT_EQ(to_hex(made->packets[0]),
            "300088b6"
            "0000002a"
            "00000000"
            "04d2138c"  // ports
            "28"        // traffic class
            "0f"        // hop limit
            "0001"      // fragment 0 of 1
            "6869");
}

TEST(CompactFraming, FragmentsHaveGoldenOctets) {
  FlowFramer framer(FlowId{1}, at("239.1.1.2:5004"));
  Buffer room(kCompactRoom);
  const auto made =
      to_compact(framed(framer, "192.0.2.1:1234", as_bytes("sixteen or more!")), MediaForm::kFragments, room);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->count, 2U);
  EXPECT_EQ(to_hex(made->packets[0]),
            "300088b6"
            "00000001"
            "00000000"
            "04d2138c"
            "280f"
            "0002"
            "0800"
            "c0000201"
            "ef010102"
            "736978");  // three octets of the payload: then both have 13 after the common header
  EXPECT_EQ(to_hex(made->packets[1]),
            "300088b6"
            "00000001"
            "00000000"
            "04d2138c"
            "280f"
            "0102"
            "7465656e206f72206d6f726521");
}

TEST(CompactFraming, Ip6FragmentsNameBothAddresses) {
  FlowFramer framer(FlowId{0xFFFFFFFF}, at("[ff3e::8000:1]:5004"));
  Buffer room(kCompactRoom);
  const Buffer payload = counting(1316);
  const auto made =
      to_compact(framed(framer, "[2001:db8::1]:5000", payload, 0xB9), MediaForm::kFragments, room);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->count, 2U);
  EXPECT_EQ(made->packets[0].size(), made->packets[1].size()) << "one size, so that the kernel can segment";
  const auto first = decoded(made->packets[0]);
  const auto second = decoded(made->packets[1]);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->flow, FlowId{0xFFFFFFFF});
  EXPECT_EQ(first->addresses,
            (FlowAddresses{*IpAddress::parse("2001:db8::1"), *IpAddress::parse("ff3e::8000:1")}));
  EXPECT_FALSE(second->addresses);
  for (const auto& packet : {*first, *second}) {
    EXPECT_EQ(packet.sequence, 0U);
    EXPECT_EQ(packet.source_port, 5000);
    EXPECT_EQ(packet.destination_port, 5004);
    EXPECT_EQ(packet.traffic_class, 0xB9);
    EXPECT_EQ(packet.hop_limit, 15);
    EXPECT_EQ(packet.count, 2);
  }
  Buffer whole(first->part.begin(), first->part.end());
  whole.insert(whole.end(), second->part.begin(), second->part.end());
  EXPECT_EQ(whole, payload);
}

// Every size, both families, both forms: the sizes are as promised and the payload is whole.
TEST(CompactFraming, EverySizeComesApartAlike) {
  Buffer room(kCompactRoom);
  for (const auto& [source, group] : {std::pair{"[2001:db8::1]:5000", "[ff3e::8000:1]:5004"},
                                      std::pair{"192.0.2.1:5000", "232.1.1.1:5004"}}) {
    FlowFramer framer(FlowId{7}, at(group));
    const Family family = at(group).address.family();
    for (std::size_t size = 0; size <= kMaxCompactPayload; size += size < 100 ? 1 : 13) {
      const Buffer payload = counting(size);
      const Buffer full = framed(framer, source, payload);
      ASSERT_EQ(full.size(), packet_size(MediaForm::kFull, family, size));
      for (const MediaForm form : {MediaForm::kCompact, MediaForm::kFragments}) {
        const auto made = to_compact(full, form, room);
        ASSERT_TRUE(made) << size;
        ASSERT_EQ(made->count, form == MediaForm::kFragments && size >= 2 ? 2U : 1U);
        Buffer whole;
        std::size_t largest = 0;
        for (std::size_t i = 0; i < made->count; ++i) {
          const auto packet = decoded(made->packets[i]);
          ASSERT_TRUE(packet);
          EXPECT_EQ(packet->index, i);
          EXPECT_EQ(packet->count, made->count);
          whole.insert(whole.end(), packet->part.begin(), packet->part.end());
          largest = std::max(largest, made->packets[i].size());
        }
        ASSERT_EQ(whole, payload);
        if (made->count == 2 || form == MediaForm::kCompact) {
          EXPECT_EQ(largest, packet_size(form, family, size)) << size;
        }
      }
    }
  }
}

TEST(CompactFraming, EveryPrefixIsRejectedOrShorter) {
  FlowFramer framer(FlowId{7}, at("[ff3e::8000:1]:5004"));
  Buffer room(kCompactRoom);
  const Buffer full = framed(framer, "[2001:db8::1]:5000", counting(100));
  const auto made = to_compact(full, MediaForm::kFragments, room);
  ASSERT_TRUE(made);
  // Of the first fragment nothing decodes before its addresses and an octet of payload are there.
  for (std::size_t n = 0; n <= 12 + 8 + 34; ++n) {
    EXPECT_FALSE(decoded(made->packets[0].first(n))) << n;
  }
  for (std::size_t n = 0; n <= 12 + 8; ++n) {
    EXPECT_FALSE(decoded(made->packets[1].first(n))) << n;
  }
  for (std::size_t n = 0; n < 12 + 48; ++n) {
    Buffer other(kCompactRoom);
    EXPECT_FALSE(to_compact(Bytes(full).first(n), MediaForm::kCompact, other)) << n;
  }
}

TEST(CompactFraming, WhatIsWrongIsRefused) {
  const auto error = [](const char* hex) { return decoded(*from_hex(hex)).error(); };
  const std::string start = "300088b60000000100000000";
  EXPECT_EQ(error((start + "04d2138c280f0000aa").c_str()), ParseError::kBadValue) << "no fragments at all";
  EXPECT_EQ(error((start + "04d2138c280f0003aa").c_str()), ParseError::kBadValue) << "three";
  EXPECT_EQ(error((start + "04d2138c280f0202aa").c_str()), ParseError::kBadValue) << "the third of two";
  EXPECT_EQ(error((start + "04d2138c280f0002"
                           "1234"
                           "c0000201ef010102aa")
                      .c_str()),
            ParseError::kBadValue)
      << "addresses of another kind";
  EXPECT_EQ(error((start + "04d2138c280f0002"
                           "0800"
                           "c0000201c0000202aa")
                      .c_str()),
            ParseError::kBadValue)
      << "a group that is none";
  EXPECT_EQ(error((start + "04d2138c280f0102").c_str()), ParseError::kTruncated) << "an empty fragment";
  Buffer long_one = *from_hex(start + "04d2138c280f0001");
  long_one.resize(long_one.size() + kMaxCompactPayload);
  EXPECT_TRUE(decoded(long_one));
  long_one.push_back(0);
  EXPECT_EQ(decoded(long_one).error(), ParseError::kBadLength);
  EXPECT_FALSE(decode_inner_packet(*from_hex("000088b604d2138c280f0001aa"))) << "no flow number";
}

TEST(CompactFraming, OnlyFramesAreTaken) {
  Buffer room(kCompactRoom);
  EXPECT_EQ(look_at_frame(*from_hex("000088b50100")).error(), ParseError::kTruncated);
  EXPECT_EQ(look_at_frame(*from_hex("000088b501000000000100000000")).error(), ParseError::kBadValue);
  EXPECT_EQ(look_at_frame(*from_hex("300088b600000001000000001000")).error(), ParseError::kBadValue);
  FlowFramer framer(FlowId{7}, at("239.1.1.2:5004"));
  EXPECT_EQ(
      to_compact(framed(framer, "192.0.2.1:1", Buffer(kMaxCompactPayload + 1)), MediaForm::kCompact, room)
          .error(),
      ParseError::kBadLength);
}

// The table of what is to fit where: payload, inner family, outer family, path; and the form that does it.
// Sealing by AES-GCM costs 37 octets, UDP 8, the outer header 20 or 40.
TEST(CompactFraming, TheUsualDatagramsFitTheUsualPaths) {
  struct Row {
    std::size_t payload;
    Family inner;
    Family outer;
    std::array<MediaForm, 4> forms;  // at 1500, 1492, 1428, 1280
  };
  constexpr auto kFull = MediaForm::kFull;
  constexpr auto kCompact = MediaForm::kCompact;
  constexpr auto kFragments = MediaForm::kFragments;
  constexpr Family k4 = Family::kIp4;
  constexpr Family k6 = Family::kIp6;
  constexpr std::array<std::size_t, 4> kPaths{1500, 1492, 1428, 1280};
  for (const Row& row : {Row{1316, k4, k4, {kFull, kFull, kFull, kFragments}},
                         Row{1316, k6, k4, {kFull, kFull, kCompact, kFragments}},
                         Row{1316, k4, k6, {kFull, kFull, kCompact, kFragments}},
                         Row{1316, k6, k6, {kFull, kFull, kCompact, kFragments}},
                         Row{1328, k4, k4, {kFull, kFull, kCompact, kFragments}},
                         Row{1328, k6, k4, {kFull, kFull, kCompact, kFragments}},
                         Row{1328, k4, k6, {kFull, kFull, kFragments, kFragments}},
                         Row{1328, k6, k6, {kFull, kFull, kFragments, kFragments}},
                         Row{1472, k6, k6, {kFragments, kFragments, kFragments, kFragments}},
                         Row{188, k6, k6, {kFull, kFull, kFull, kFull}}}) {
    for (std::size_t i = 0; i < kPaths.size(); ++i) {
      const std::size_t limit = kPaths[i] - (row.outer == k4 ? 20 : 40) - 8 - 37;
      const MediaForm form = form_for(row.inner, row.payload, limit);
      EXPECT_EQ(form, row.forms[i]) << row.payload << " on " << kPaths[i] << ": " << to_string(form);
      EXPECT_LE(packet_size(form, row.inner, row.payload), limit);
    }
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
