// The specific queries of one group that are still to be sent: last listener query count times, at the last
// listener query interval, each source with a count of its own (RFC 3810 section 7.6.3).
#pragma once

#include <map>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/group_state.hpp"

namespace hearthcast::membership {

class PendingQueries {
 public:
  // Asks `count` times about what was lowered just now; the first time is now.
  void add(const Ask& lowered, int count, Time now);
  // What to ask about at this time; counts down. Empty when it is not time yet.
  [[nodiscard]] Ask take(Time now, Duration interval);
  void clear();

  [[nodiscard]] bool empty() const { return group_left_ == 0 && sources_left_.empty(); }
  [[nodiscard]] Time next_deadline() const { return empty() ? kNever : due_; }

 private:
  int group_left_ = 0;
  std::map<IpAddress, int> sources_left_;
  Time due_{};
};

}  // namespace hearthcast::membership
