#include "appliance/forward/formed_batch.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "tunnelmgr/tunnel/compact_receiver.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/unnumbered_framing.hpp"
#include "tunnelmgr/tunnel/unnumbered_receiver.hpp"

namespace hearthcast::forward {
namespace {

using tunnel::MediaForm;

const Endpoint kSource = *Endpoint::parse("[2001:db8::1]:5000");
const Endpoint kGroup = *Endpoint::parse("[ff3e::8000:1]:5004");
constexpr std::size_t kWide = 1500 - 20 - 8 - 37;
constexpr std::size_t kNarrow = 1428 - 20 - 8 - 37;
constexpr std::size_t kVeryNarrow = 1280 - 20 - 8 - 37;

class FormedBatchTest : public testing::Test {
 protected:
  void add(std::size_t size) {
    Buffer& slot = slots_.emplace_back(tunnel::kFrameHeadroom);
    slot.resize(tunnel::kFrameHeadroom + size, static_cast<std::uint8_t>(slots_.size()));
    full_.push_back(*framer_.frame(slot, {kSource, 64, 0}));
  }
  void add_many(std::size_t count, std::size_t size = 1316) {
    for (std::size_t n = 0; n < count; ++n) {
      add(size);
    }
  }
  void next_batch(bool tell) { batch_.begin(full_, tell); }
  // The payloads that a receiver gets out of what a viewer gets.
  std::vector<std::size_t> received(std::size_t limit) {
    tunnel::CompactReceiver receiver;
    std::vector<std::size_t> sizes;
    for (const Bytes packet : batch_.for_limit(limit)) {
      EXPECT_LE(packet.size(), limit);
      const auto inner = tunnel::decode_inner_packet(packet);
      if (inner->kind == tunnel::InnerKind::kMedia) {
        sizes.push_back(tunnel::decode_media(*inner)->payload.size());
      } else if (const auto media = receiver.on_packet(*inner)) {
        sizes.push_back(media->frame.payload.size());
        EXPECT_EQ(media->frame.payload.back(), sizes.size()) << "the datagrams' order";
      }
    }
    return sizes;
  }

  tunnel::FlowFramer framer_{FlowId{5}, kGroup};
  std::deque<Buffer> slots_;
  std::vector<Bytes> full_;
  FormedBatch batch_;
};

TEST_F(FormedBatchTest, AWidePathGetsTheFramesThemselves) {
  add_many(3);
  next_batch(true);
  const auto packets = batch_.for_limit(kWide);
  EXPECT_EQ(packets.data(), full_.data()) << "no copy";
  EXPECT_EQ(packets.size(), 3U);
  EXPECT_EQ(batch_.form(), MediaForm::kFull);
}

TEST_F(FormedBatchTest, WithoutNumbersEachIsOnePacketWhereAllFit) {
  add_many(3);
  add(9);
  for (const auto form : {tunnel::Form::kSixInFour, tunnel::Form::kAyiya}) {
    next_batch(false);
    const std::size_t largest = tunnel::unnumbered_size(form, full_[0].size());
    const auto packets = batch_.unnumbered(form, largest);
    ASSERT_EQ(packets.size(), 4U);
    tunnel::UnnumberedReceiver receiver;
    receiver.expect(form);
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const auto media = receiver.on_record(packets[i]);
      ASSERT_TRUE(media);
      EXPECT_EQ(media->payload.size(), i < 3 ? 1316U : 9U);
      EXPECT_EQ(media->payload[0], i + 1) << "the datagrams' order";
    }
    EXPECT_EQ(batch_.unnumbered(form, SIZE_MAX).front().data(), packets.front().data()) << "made once";
    EXPECT_TRUE(batch_.unnumbered(form, largest - 1).empty());
    EXPECT_EQ(batch_.for_limit(kWide).data(), full_.data()) << "GRE beside it";
  }
}

TEST_F(FormedBatchTest, WithoutNumbersNothingIsLargerThanTheSenderTakes) {
  add(datapath::kMaxInnerSize - tunnel::kFrameHeadroom);  // the largest that is framed at all
  next_batch(false);
  EXPECT_EQ(batch_.unnumbered(tunnel::Form::kSixInFour, SIZE_MAX).size(), 1U);
  EXPECT_TRUE(batch_.unnumbered(tunnel::Form::kAyiya, SIZE_MAX).empty());
}

TEST_F(FormedBatchTest, EachFormIsMadeOnceForAllViewers) {
  add_many(4);
  next_batch(false);
  const auto first = batch_.for_limit(kNarrow);
  const std::vector<Bytes> before(first.begin(), first.end());
  EXPECT_EQ(batch_.form(), MediaForm::kCompact);
  EXPECT_EQ(batch_.for_limit(kVeryNarrow).size(), 8U);
  EXPECT_EQ(batch_.form(), MediaForm::kFragments);
  (void)batch_.for_limit(kWide);
  EXPECT_EQ(batch_.form(), MediaForm::kFull);
  const auto again = batch_.for_limit(kNarrow - 1);
  EXPECT_EQ(batch_.form(), MediaForm::kCompact);
  ASSERT_EQ(again.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(again[i].data(), before[i].data()) << "the same octets in the same place";
  }
}

TEST_F(FormedBatchTest, TheFirstNumberAndEvery32ndTellTheAddresses) {
  add_many(40);
  next_batch(false);
  // Numbers 0 and 32 in two fragments each.
  EXPECT_EQ(batch_.for_limit(kNarrow).size(), 42U);
  EXPECT_EQ(received(kNarrow), std::vector<std::size_t>(40, 1316));
}

TEST_F(FormedBatchTest, TheFormIsThePathsAlsoWhereADatagramTellsTheAddresses) {
  add_many(33);  // number 32 is the last
  next_batch(false);
  EXPECT_EQ(batch_.for_limit(kNarrow).size(), 35U);
  EXPECT_EQ(batch_.form(), MediaForm::kCompact);
}

TEST_F(FormedBatchTest, ABatchThatIsToTellBeginsWithFragments) {
  add_many(1);
  slots_.clear();
  full_.clear();
  add_many(5);  // numbers 1 to 5
  next_batch(false);
  EXPECT_EQ(batch_.for_limit(kNarrow).size(), 5U);
  next_batch(true);
  EXPECT_EQ(batch_.for_limit(kNarrow).size(), 6U);
  EXPECT_EQ(received(kNarrow), std::vector<std::size_t>(5, 1316));
}

TEST_F(FormedBatchTest, EachDatagramGetsTheFormOfItsSize) {
  for (const std::size_t size : std::vector<std::size_t>{1316, 100, 1316, 1328, 1472, 188, 1}) {
    add(size);
  }
  next_batch(true);
  EXPECT_EQ(received(kWide).size(), 7U);
  EXPECT_EQ(received(kVeryNarrow).size(), 7U);
  EXPECT_EQ(received(kNarrow).size(), 7U);
}

TEST_F(FormedBatchTest, AFullBatchFitsInFragments) {
  add_many(datapath::kMaxBatch, 1472);
  next_batch(true);
  EXPECT_EQ(batch_.for_limit(kVeryNarrow).size(), 2 * datapath::kMaxBatch);
  EXPECT_EQ(received(kVeryNarrow), std::vector<std::size_t>(datapath::kMaxBatch, 1472));
}

TEST_F(FormedBatchTest, ANewBatchForgetsTheFormer) {
  add_many(2);
  next_batch(true);
  (void)batch_.for_limit(kVeryNarrow);
  slots_.clear();
  full_.clear();
  add(600);
  add(1316);
  next_batch(true);
  EXPECT_EQ(received(kVeryNarrow), (std::vector<std::size_t>{600, 1316}));
}

TEST_F(FormedBatchTest, NothingIsNothing) {
  next_batch(true);
  EXPECT_TRUE(batch_.for_limit(kVeryNarrow).empty());
}

}  // namespace
}  // namespace hearthcast::forward
