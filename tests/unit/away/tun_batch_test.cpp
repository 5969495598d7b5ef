#include "tunnelmgr/away/tun_batch.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "tunnelmgr/wire/checksum.hpp"
#include "tunnelmgr/wire/ip4.hpp"

namespace hearthcast::away {
namespace {

const wire::UdpPacketHeader kHeader6{.source = *Endpoint::parse("[2001:db8::1]:5000"),
                                     .destination = *Endpoint::parse("[ff3e::8000:1]:5004"),
                                     .hop_limit = 15,
                                     .traffic_class = 0x88};
const wire::UdpPacketHeader kHeader4{.source = *Endpoint::parse("192.0.2.10:4000"),
                                     .destination = *Endpoint::parse("232.1.1.1:5004"),
                                     .hop_limit = 3};

Buffer payload(std::size_t size, int seed) {
  Buffer out(size);
  std::iota(out.begin(), out.end(), static_cast<std::uint8_t>(seed));
  return out;
}

// The frame's header as linux/virtio_net.h has it, in the machine's byte order.
struct FrameHeader {
  std::uint8_t flags;
  std::uint8_t segmentation;
  std::uint16_t header_size;
  std::uint16_t segment_size;
  std::uint16_t checksum_start;
  std::uint16_t checksum_offset;
};
FrameHeader header_of(Bytes frame) {
  FrameHeader header{};
  std::memcpy(&header, frame.data(), sizeof header);
  return header;
}

// What a kernel makes of a frame: it parts the payload, repeats the headers and completes lengths and
// checksums.
std::vector<Buffer> packets_of(Bytes frame) {
  const FrameHeader header = header_of(frame);
  EXPECT_EQ(header.flags, 1);
  EXPECT_EQ(header.checksum_offset, 6);
  EXPECT_EQ(header.checksum_start + 8, header.header_size);
  const Bytes packet = frame.subspan(sizeof header);
  const Bytes head = packet.first(header.header_size);
  const Bytes data = packet.subspan(header.header_size);
  const std::size_t stride = header.segmentation == 5 ? header.segment_size : data.size();
  EXPECT_TRUE(header.segmentation == 0 || header.segmentation == 5);
  std::vector<Buffer> out;
  std::size_t at = 0;
  do {
    const Bytes part = data.subspan(at, std::min(stride, data.size() - at));
    Buffer one(head.begin(), head.end());
    one.insert(one.end(), part.begin(), part.end());
    const auto udp_size = static_cast<std::uint16_t>(8 + part.size());
    const bool ip4 = one[0] >> 4 == 4;
    const std::size_t length_at = ip4 ? 2 : 4;
    const std::size_t length = ip4 ? one.size() : udp_size;
    one[length_at] = static_cast<std::uint8_t>(length >> 8);
    one[length_at + 1] = static_cast<std::uint8_t>(length);
    if (ip4) {
      one[10] = one[11] = 0;
      const std::uint16_t sum = wire::checksum(Bytes(one).first(20));
      one[10] = static_cast<std::uint8_t>(sum >> 8);
      one[11] = static_cast<std::uint8_t>(sum);
    }
    const std::size_t udp = header.checksum_start;
    one[udp + 4] = static_cast<std::uint8_t>(udp_size >> 8);
    one[udp + 5] = static_cast<std::uint8_t>(udp_size);
    // The field holds the pseudo header's sum of the whole; a part is shorter by so much (RFC 1624).
    const std::uint32_t before = one[udp + 6] * 256U + one[udp + 7];
    const auto whole = static_cast<std::uint32_t>(8 + data.size());
    std::uint32_t pseudo = before + (0xFFFF - whole) + udp_size;
    pseudo = (pseudo & 0xFFFF) + (pseudo >> 16);
    one[udp + 6] = one[udp + 7] = 0;
    wire::Checksum sum;
    sum.add(Bytes(one).subspan(udp));
    sum.add_u16(static_cast<std::uint16_t>(pseudo));
    one[udp + 6] = static_cast<std::uint8_t>(sum.value() >> 8);
    one[udp + 7] = static_cast<std::uint8_t>(sum.value());
    out.push_back(std::move(one));
    at += stride;
  } while (at < data.size());
  return out;
}

// As the provider's datagrams looked, decoded with their checksums.
void expect_whole(Bytes frame, const wire::UdpPacketHeader& header, const std::vector<Buffer>& payloads) {
  const auto packets = packets_of(frame);
  ASSERT_EQ(packets.size(), payloads.size());
  for (std::size_t n = 0; n < packets.size(); ++n) {
    const auto decoded = wire::decode_udp_packet(packets[n]);
    ASSERT_TRUE(decoded) << n << ": " << describe(decoded.error());
    EXPECT_EQ(decoded->header, header);
    EXPECT_TRUE(equal(decoded->payload, payloads[n])) << n;
  }
}

TEST(TunBatch, OneDatagramIsAPacketWithoutSegments) {
  for (const auto& header : {kHeader4, kHeader6}) {
    TunBatch batch;
    const Buffer one = payload(1316, 1);
    ASSERT_TRUE(batch.add(header, one));
    EXPECT_EQ(batch.datagrams(), 1U);
    const Bytes frame = batch.frame();
    EXPECT_EQ(header_of(frame).segmentation, 0);
    expect_whole(frame, header, {one});
  }
}

TEST(TunBatch, ManyDatagramsAreOneFrameThatComesApartAgain) {
  for (const auto& header : {kHeader4, kHeader6}) {
    TunBatch batch;
    std::vector<Buffer> payloads;
    for (int n = 0; n < 16; ++n) {
      payloads.push_back(payload(n == 15 ? 700 : 1316, n));  // only the last one may be shorter
      ASSERT_TRUE(batch.add(header, payloads.back())) << n;
    }
    const Bytes frame = batch.frame();
    EXPECT_EQ(header_of(frame).segmentation, 5);
    EXPECT_EQ(header_of(frame).segment_size, 1316);
    expect_whole(frame, header, payloads);
  }
}

TEST(TunBatch, SinglesAreTheSameDatagrams) {
  for (const auto& header : {kHeader4, kHeader6}) {
    TunBatch batch;
    std::vector<Buffer> payloads;
    for (int n = 0; n < 5; ++n) {
      payloads.push_back(payload(n == 4 ? 10 : 188, n));
      ASSERT_TRUE(batch.add(header, payloads.back()));
    }
    (void)batch.frame();  // as a kernel that refused it has seen it
    for (std::size_t n = 0; n < payloads.size(); ++n) {
      expect_whole(batch.single(n), header, {payloads[n]});
    }
  }
}

TEST(TunBatch, WhatDoesNotFitWaitsForTheNext) {
  TunBatch batch;
  ASSERT_TRUE(batch.add(kHeader6, payload(188, 0)));
  EXPECT_FALSE(batch.add(kHeader4, payload(188, 0))) << "another flow";
  auto other = kHeader6;
  other.hop_limit = 14;
  EXPECT_FALSE(batch.add(other, payload(188, 0))) << "another hop limit";
  EXPECT_FALSE(batch.add(kHeader6, payload(189, 0))) << "larger";
  EXPECT_FALSE(batch.add(kHeader6, {})) << "the kernel parts no empty datagrams off";
  ASSERT_TRUE(batch.add(kHeader6, payload(100, 0)));
  EXPECT_FALSE(batch.add(kHeader6, payload(100, 0))) << "behind a shorter one";
  EXPECT_EQ(batch.datagrams(), 2U);
  batch.clear();
  ASSERT_TRUE(batch.add(kHeader4, payload(100, 3))) << "a new one begins anew";
  expect_whole(batch.frame(), kHeader4, {payload(100, 3)});
}

TEST(TunBatch, IsBounded) {
  TunBatch batch;
  std::size_t count = 0;
  while (batch.add(kHeader6, payload(188, 0))) {
    ++count;
  }
  EXPECT_EQ(count, TunBatch::kMostDatagrams);
  batch.clear();
  count = 0;
  while (batch.add(kHeader6, payload(9000, 0))) {
    ++count;
  }
  EXPECT_EQ(count, 7U);
  EXPECT_LE(batch.frame().size(), 65535U + 10);
  batch.clear();
  EXPECT_FALSE(batch.add(kHeader6, Buffer(TunBatch::kMostPayload + 1)));
  EXPECT_EQ(batch.datagrams(), 0U);
}

TEST(TunBatch, AnEmptyDatagramIsOneByItself) {
  TunBatch batch;
  ASSERT_TRUE(batch.add(kHeader4, {}));
  EXPECT_FALSE(batch.add(kHeader4, {}));
  expect_whole(batch.frame(), kHeader4, {Buffer()});
}

}  // namespace
}  // namespace hearthcast::away
