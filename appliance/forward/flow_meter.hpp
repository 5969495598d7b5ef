// What one flow brought: counts, bitrate, signal and the transport stream's continuity. Pure; no allocation
// per datagram.
#pragma once

#include "appliance/forward/messages.hpp"
#include "tunnelmgr/playout/stream_check.hpp"

namespace hearthcast::forward {

class FlowMeter {
 public:
  explicit FlowMeter(FlowId flow) { counters_.flow = flow; }

  // True when this is the first datagram, or the first after silence: the signal came.
  bool on_datagram(Bytes payload, Time now);
  void on_dropped() { ++counters_.dropped; }
  // The kernel's count for the current socket; it starts anew with each socket.
  void on_kernel_drops(std::uint32_t count);
  void on_new_socket();

  // True once when silence has lasted a second since the last datagram: the signal went.
  bool signal_lost(Time now);
  // Counters with the bitrate since the last report.
  [[nodiscard]] FlowCounters report(Time now);

 private:
  FlowCounters counters_;
  playout::StreamCheck check_;
  bool present_ = false;
  std::uint64_t former_kernel_drops_ = 0;  // of former sockets
  std::uint64_t reported_bytes_ = 0;
  Time reported_at_ = kNever;  // not yet
};

}  // namespace hearthcast::forward
