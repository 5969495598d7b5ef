#include "tunnelmgr/membership/pending_queries.hpp"

#include <algorithm>

namespace hearthcast::membership {

void PendingQueries::add(const Ask& lowered, int count, Time now) {
  if (lowered.empty() || count <= 0) {
    return;
  }
  if (lowered.group) {
    group_left_ = count;
  }
  for (const IpAddress& source : lowered.sources) {
    sources_left_[source] = count;
  }
  due_ = now;
}

Ask PendingQueries::take(Time now, Duration interval) {
  Ask ask;
  if (empty() || due_ > now) {
    return ask;
  }
  due_ = now + std::max<Duration>(interval, std::chrono::milliseconds(1));
  if (group_left_ > 0) {
    --group_left_;
    ask.group = true;
  }
  for (auto at = sources_left_.begin(); at != sources_left_.end();) {
    ask.sources.push_back(at->first);
    at = --at->second == 0 ? sources_left_.erase(at) : std::next(at);
  }
  return ask;
}

void PendingQueries::clear() {
  group_left_ = 0;
  sources_left_.clear();
}

}  // namespace hearthcast::membership
