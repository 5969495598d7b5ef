// Flows of streams that were closed. A viewer who comes back to a channel at once must not begin with what
// was still on its way of the former flow: the box counts the next one anew, and between the two would be a
// gap.
//
// Where another device watches the channel, its flow goes on under the same number; then the box's prelude
// says so, or the time of stragglers passes. Flows without numbers
// of the box have none that could be told apart: they are not for here. Pure; not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::away {

class FormerFlows {
 public:
  // Besides two round trips: what waits in sockets and at a busy box.
  static constexpr Duration kSlack = std::chrono::milliseconds{100};
  static constexpr std::size_t kMost = 64;  // remembered

  void leave(std::uint32_t flow, std::optional<Duration> round_trip, Time now);
  // The box sends that flow from its past: whatever comes of it from now on is meant.
  void resume(std::uint32_t flow) { until_.erase(flow); }
  // Numbers mean something else from now on.
  void clear() { until_.clear(); }
  [[nodiscard]] bool is_straggler(std::uint32_t flow, Time now) const;

 private:
  std::unordered_map<std::uint32_t, Time> until_;
};

}  // namespace hearthcast::away
