#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

#include <gtest/gtest.h>

#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/unnumbered_receiver.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr const char* kSource6 = "[2001:db8::1]:5000";
constexpr const char* kGroup6 = "[ff3e::8000:1]:5004";
constexpr const char* kSource4 = "192.0.2.1:1234";
constexpr const char* kGroup4 = "239.1.1.2:5004";
constexpr std::uint32_t kEpoch = 1700000000;

Endpoint at(const char* text) { return *Endpoint::parse(text); }

struct Flow {
  Flow(const char* source, const char* group) : source(at(source)), framer(FlowId{42}, at(group)) {}

  Buffer frame(Bytes payload, std::uint8_t traffic_class = 0) {
    Buffer slot(kFrameHeadroom);
    slot.insert(slot.end(), payload.begin(), payload.end());
    const auto framed = framer.frame(slot, {source, 16, traffic_class});
    return {framed->begin(), framed->end()};
  }
  Buffer record(Form form, Bytes payload) {
    const Buffer full = frame(payload);
    Buffer room(unnumbered_size(form, full.size()));
    const Bytes made = to_unnumbered(full, form, kEpoch, room);
    return {made.begin(), made.end()};
  }

  Endpoint source;
  FlowFramer framer;
};

TEST(UnnumberedFraming, SixInFourIsTheIpPacketItself) {
  Flow flow(kSource6, kGroup6);
  const Buffer full = flow.frame(as_bytes("hi"));
  const Bytes made = to_unnumbered(full, Form::kSixInFour, kEpoch, {});
  EXPECT_EQ(made.data(), full.data() + kMediaGreSize) << "no copy";
  EXPECT_EQ(to_hex(made.first(8)), "60000000000a110f");
  EXPECT_EQ(made.size(), full.size() - kMediaGreSize);
  EXPECT_EQ(to_hex(Flow(kSource4, kGroup4).record(Form::kSixInFour, as_bytes("hi"))).substr(0, 20),
            "4500001e000040000f11");
}

TEST(UnnumberedFraming, AyiyaHasGoldenOctets) {
  const auto six = to_hex(Flow(kSource6, kGroup6).record(Form::kAyiya, as_bytes("hi")));
  EXPECT_EQ(six.substr(0, 2 * kMediaAyiyaSize),
            "41000129"
            "6553f100"
            "fe800000000000000000000000000001");
  EXPECT_EQ(six.substr(2 * kMediaAyiyaSize, 16), "60000000000a110f");
  const auto four = to_hex(Flow(kSource4, kGroup4).record(Form::kAyiya, as_bytes("hi")));
  EXPECT_EQ(four.substr(0, 16), "410001046553f100");
  EXPECT_EQ(four.substr(2 * kMediaAyiyaSize, 20), "4500001e000040000f11");
}

TEST(UnnumberedFraming, SizesAreThoseThatPacketsHave) {
  for (const auto& [source, group] : {std::pair(kSource6, kGroup6), std::pair(kSource4, kGroup4)}) {
    Flow flow(source, group);
    const Family family = flow.source.address.family();
    const Buffer payload(1316);
    EXPECT_EQ(flow.record(Form::kSixInFour, payload).size(),
              packet_size(MediaForm::kSixInFour, family, payload.size()));
    EXPECT_EQ(flow.record(Form::kAyiya, payload).size(),
              packet_size(MediaForm::kAyiya, family, payload.size()));
  }
}

TEST(UnnumberedReceiver, WhatIsFramedComesApartAndNoPartOfIt) {
  const Buffer payload(1316, 0x47);
  for (const Form form : {Form::kSixInFour, Form::kAyiya}) {
    for (const auto& [source, group] : {std::pair(kSource6, kGroup6), std::pair(kSource4, kGroup4)}) {
      UnnumberedReceiver receiver;
      receiver.expect(form);
      const Buffer record = Flow(source, group).record(form, payload);
      for (std::size_t n = 0; n < record.size(); ++n) {
        EXPECT_FALSE(receiver.on_record(Bytes(record).first(n))) << to_string(form) << n;
      }
      const auto media = receiver.on_record(record);
      ASSERT_TRUE(media) << to_string(form);
      EXPECT_EQ(media->header.source, at(source));
      EXPECT_EQ(media->header.destination, at(group));
      EXPECT_EQ(media->header.hop_limit, 15);
      EXPECT_TRUE(equal(media->payload, payload));
    }
  }
}

TEST(UnnumberedReceiver, NumbersEachFlowInTheOrderOfArrival) {
  UnnumberedReceiver receiver;
  receiver.expect(Form::kSixInFour);
  Flow six(kSource6, kGroup6);
  Flow four(kSource4, kGroup4);
  Flow other_source("[2001:db8::2]:5000", kGroup6);
  const auto next = [&](Flow& flow) { return *receiver.on_record(flow.record(Form::kSixInFour, Buffer(9))); };
  const auto first = next(six);
  (void)six.record(Form::kSixInFour, Buffer(9));  // lost: nobody can tell
  const auto second = next(six);
  EXPECT_EQ(second.flow, first.flow);
  EXPECT_EQ(second.sequence, first.sequence + 1);
  EXPECT_NE(next(four).flow, first.flow);
  EXPECT_NE(next(other_source).flow, first.flow);
}

TEST(UnnumberedReceiver, TakesOnlyWhatWasAskedFor) {
  Flow flow(kSource6, kGroup6);
  const Buffer bare = flow.record(Form::kSixInFour, Buffer(9));
  const Buffer ayiya = flow.record(Form::kAyiya, Buffer(9));
  UnnumberedReceiver receiver;
  EXPECT_FALSE(receiver.on_record(bare));
  EXPECT_FALSE(receiver.on_record(ayiya));
  receiver.expect(Form::kAyiya);
  EXPECT_FALSE(receiver.on_record(bare));
  EXPECT_TRUE(receiver.on_record(ayiya));
  receiver.expect(Form::kSixInFour);
  EXPECT_TRUE(receiver.on_record(bare));
  EXPECT_FALSE(receiver.on_record(ayiya));
}

TEST(UnnumberedReceiver, AForeignHeaderIsRefused) {
  const Buffer good = Flow(kSource6, kGroup6).record(Form::kAyiya, Buffer(9));
  UnnumberedReceiver receiver;
  receiver.expect(Form::kAyiya);
  for (const auto& [place, value] : std::initializer_list<std::pair<std::size_t, int>>{{0, 0x42},
                                                                                       {0, 0x31},
                                                                                       {1, 0x01},
                                                                                       {1, 0x52},
                                                                                       {2, 0x11},
                                                                                       {2, 0x02},
                                                                                       {2, 0x00},
                                                                                       {3, 4},
                                                                                       {3, 59},
                                                                                       {23, 2}}) {
    Buffer changed = good;
    changed[place] = static_cast<std::uint8_t>(value);
    EXPECT_FALSE(receiver.on_record(changed)) << place << " " << value;
  }
  Buffer other_time = good;
  other_time[4] = 0;  // a laptop's clock may be wrong
  EXPECT_TRUE(receiver.on_record(other_time));
}

TEST(UnnumberedReceiver, UnicastAndWhatIsNoUdpIsNoMedia) {
  UnnumberedReceiver receiver;
  receiver.expect(Form::kSixInFour);
  EXPECT_FALSE(receiver.on_record(Flow(kSource4, "192.0.2.9:5004").record(Form::kSixInFour, Buffer(9))));
  Buffer icmp = Flow(kSource6, kGroup6).record(Form::kSixInFour, Buffer(9));
  icmp[6] = 58;
  EXPECT_FALSE(receiver.on_record(icmp));
}

TEST(UnnumberedReceiver, ManyFlowsAreForgottenRatherThanKept) {
  UnnumberedReceiver receiver;
  receiver.expect(Form::kSixInFour);
  std::int64_t last = 0;
  for (std::uint16_t port = 1; port <= 2 * UnnumberedReceiver::kMaxFlows; ++port) {
    Flow flow(kSource6, kGroup6);
    flow.source.port = port;
    const auto media = receiver.on_record(flow.record(Form::kSixInFour, Buffer(9)));
    ASSERT_TRUE(media);
    EXPECT_GT(media->flow.value, last) << "a number is never used again";
    last = media->flow.value;
  }
}

}  // namespace
}  // namespace hearthcast::tunnel
