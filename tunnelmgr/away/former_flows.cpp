#include "tunnelmgr/away/former_flows.hpp"

namespace hearthcast::away {

void FormerFlows::leave(std::uint32_t flow, std::optional<Duration> round_trip, Time now) {
  std::erase_if(until_, [now](const auto& former) { return former.second <= now; });
  if (until_.size() < kMost) {
    until_[flow] = now + 2 * round_trip.value_or(Duration{}) + kSlack;
  }
}

bool FormerFlows::is_straggler(std::uint32_t flow, Time now) const {
  if (until_.empty()) {  // as nearly always
    return false;
  }
  const auto at = until_.find(flow);
  return at != until_.end() && now < at->second;
}

}  // namespace hearthcast::away
