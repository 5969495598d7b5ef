#include "appliance/forward/flow_meter.hpp"

#include <gtest/gtest.h>

#include "tests/unit/playout/ts_maker.hpp"

namespace hearthcast::forward {
namespace {

using namespace std::chrono_literals;

const Time t0 = Time{} + 1h;

TEST(FlowMeter, SignalComesAndGoesOnce) {
  FlowMeter meter(FlowId{3});
  EXPECT_FALSE(meter.signal_lost(t0)) << "it never came";
  EXPECT_TRUE(meter.on_datagram(as_bytes("x"), t0));
  EXPECT_FALSE(meter.on_datagram(as_bytes("x"), t0 + 500ms));
  EXPECT_FALSE(meter.signal_lost(t0 + 1400ms));
  EXPECT_TRUE(meter.signal_lost(t0 + 1500ms));
  EXPECT_FALSE(meter.signal_lost(t0 + 9s));
  EXPECT_TRUE(meter.on_datagram(as_bytes("x"), t0 + 10s));
}

TEST(FlowMeter, BitrateIsOfTheLastInterval) {
  FlowMeter meter(FlowId{3});
  EXPECT_EQ(meter.report(t0).bits_per_second, 0U);
  const Buffer datagram(1250, 0x11);
  for (int n = 0; n < 100; ++n) {
    (void)meter.on_datagram(datagram, t0 + n * 5ms);
  }
  const auto report = meter.report(t0 + 500ms);
  EXPECT_EQ(report.flow, FlowId{3});
  EXPECT_EQ(report.packets, 100U);
  EXPECT_EQ(report.bytes, 125000U);
  EXPECT_EQ(report.bits_per_second, 2000000U);
  EXPECT_EQ(report.last_data, t0 + 495ms);
  EXPECT_EQ(meter.report(t0 + 1s).bits_per_second, 0U);
}

TEST(FlowMeter, KernelDropsAddUpOverSockets) {
  FlowMeter meter(FlowId{3});
  meter.on_kernel_drops(5);
  meter.on_kernel_drops(7);
  meter.on_new_socket();
  meter.on_kernel_drops(2);
  meter.on_dropped();
  EXPECT_EQ(meter.report(t0).kernel_drops, 9U);
  EXPECT_EQ(meter.report(t0).dropped, 1U);
}

TEST(FlowMeter, SeesContinuityErrors) {
  FlowMeter meter(FlowId{3});
  playout::TsMaker ts;
  (void)meter.on_datagram(ts.more(), t0);
  ts.lose(playout::kVideoPid);
  (void)meter.on_datagram(ts.more(), t0);
  EXPECT_EQ(meter.report(t0).continuity_errors, 1U);
  EXPECT_FALSE(meter.report(t0).rtp);
}

}  // namespace
}  // namespace hearthcast::forward
