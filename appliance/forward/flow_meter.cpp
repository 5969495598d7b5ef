#include "appliance/forward/flow_meter.hpp"

namespace hearthcast::forward {
namespace {

constexpr auto kSilence = std::chrono::seconds{1};

}  // namespace

bool FlowMeter::on_datagram(Bytes payload, Time now) {
  ++counters_.packets;
  counters_.bytes += payload.size();
  counters_.last_data = now;
  check_.on_datagram(payload);
  const bool came = !present_;
  present_ = true;
  return came;
}

void FlowMeter::on_kernel_drops(std::uint32_t count) {
  counters_.kernel_drops = former_kernel_drops_ + count;
}

void FlowMeter::on_new_socket() { former_kernel_drops_ = counters_.kernel_drops; }

bool FlowMeter::signal_lost(Time now) {
  if (!present_ || now - counters_.last_data < kSilence) {
    return false;
  }
  present_ = false;
  return true;
}

FlowCounters FlowMeter::report(Time now) {
  counters_.continuity_errors = check_.continuity_errors();
  counters_.rtp = check_.rtp();
  if (now > reported_at_) {
    const std::chrono::duration<double> passed = now - reported_at_;
    counters_.bits_per_second = static_cast<std::uint64_t>(
        static_cast<double>(counters_.bytes - reported_bytes_) * 8.0 / passed.count());
  }
  reported_at_ = now;
  reported_bytes_ = counters_.bytes;
  return counters_;
}

}  // namespace hearthcast::forward
