// Watches the continuity counters of a transport stream: how many packets were lost on the way, as far as
// four bits tell.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::wire {

// ISO/IEC 13818-1 section 2.4.3.3: the counter grows with each packet that has a payload; one repetition is
// legal; a set discontinuity_indicator excuses a jump. Null packets do not count. Its 8 KiB
// are taken with the first packet: a box may carry thousands of flows that are silent.
class TsContinuity {
 public:
  // False when packets of this PID are missing before this one, or it came too often.
  bool on_packet(const TsPacket& packet);
  [[nodiscard]] std::uint64_t errors() const { return errors_; }
  // After a break that is known and no fault, as between two joins: forgets the counters, keeps errors().
  void restart() { last_.reset(); }

 private:
  static constexpr std::uint8_t kUnknown = 0xFF;
  static constexpr std::uint8_t kRepeated = 0x10;  // beside the counter: its one repetition was used
  std::unique_ptr<std::array<std::uint8_t, kTsPids>> last_;  // by PID
  std::uint64_t errors_ = 0;
};

}  // namespace hearthcast::wire
