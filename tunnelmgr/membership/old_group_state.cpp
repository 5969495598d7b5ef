#include "tunnelmgr/membership/old_group_state.hpp"

#include <algorithm>

namespace hearthcast::membership::old {

using wire::RecordType;

void GroupState::on_record(RecordType type, const std::vector<IpAddress>& sources, Time until) {
  switch (type) {
    case RecordType::kModeIsInclude:
    case RecordType::kAllowNewSources:
      request(sources, until);
      return;
    case RecordType::kChangeToInclude:
      mode_ = Mode::kInclude;
      requested_.clear();
      excluded_.clear();
      request(sources, until);
      return;
    case RecordType::kModeIsExclude:
      exclude_mode(sources, until, false);
      return;
    case RecordType::kChangeToExclude:
      exclude_mode(sources, until, true);
      return;
    case RecordType::kBlockOldSources:
      for (const IpAddress& source : sources) {
        requested_.erase(source);
        if (mode_ == Mode::kExclude) {
          excluded_.insert(source);
        }
      }
      return;
  }
}

// INCLUDE (B) -> INCLUDE (B+A); EXCLUDE (X,Y) -> EXCLUDE (X+A,Y-A).
void GroupState::request(const std::vector<IpAddress>& sources, Time until) {
  for (const IpAddress& source : sources) {
    requested_[source] = until;
    excluded_.erase(source);
  }
}

// Current state: INCLUDE (B) -> EXCLUDE (B*A,A-B), EXCLUDE (X,Y) -> EXCLUDE (A-Y,Y*A). Change: the host says
// that it wants none of A, so all of A is excluded without asking.
void GroupState::exclude_mode(const std::vector<IpAddress>& sources, Time until, bool change) {
  const std::set<IpAddress> named(sources.begin(), sources.end());
  std::map<IpAddress, Time> requested;
  std::set<IpAddress> excluded;
  for (const IpAddress& source : named) {
    const auto timer = requested_.find(source);
    if (change || excluded_.contains(source) || (timer == requested_.end() && mode_ == Mode::kInclude)) {
      excluded.insert(source);
    } else {
      requested[source] = timer == requested_.end() ? until : timer->second;
    }
  }
  mode_ = Mode::kExclude;
  group_timer_ = until;
  requested_ = std::move(requested);
  excluded_ = std::move(excluded);
}

// RFC 3810 sections 7.2.2, 7.2.3, 7.5.
void GroupState::on_deadline(Time now) {
  for (auto at = requested_.begin(); at != requested_.end();) {
    if (at->second > now) {
      ++at;
      continue;
    }
    if (mode_ == Mode::kExclude && group_timer_ > now) {
      excluded_.insert(at->first);
    }
    at = requested_.erase(at);
  }
  if (mode_ == Mode::kExclude && group_timer_ <= now) {
    mode_ = Mode::kInclude;
    excluded_.clear();
  }
}

Time GroupState::next_deadline() const {
  Time next = mode_ == Mode::kExclude ? group_timer_ : kNever;
  for (const auto& [source, until] : requested_) {
    next = std::min(next, until);
  }
  return next;
}

std::set<std::optional<IpAddress>> GroupState::wanted() const {
  if (mode_ == Mode::kExclude) {
    return {std::nullopt};
  }
  std::set<std::optional<IpAddress>> sources;
  for (const auto& [source, until] : requested_) {
    sources.insert(source);
  }
  return sources;
}

std::set<IpAddress> GroupState::requested() const {
  std::set<IpAddress> sources;
  for (const auto& [source, until] : requested_) {
    sources.insert(source);
  }
  return sources;
}

}  // namespace hearthcast::membership::old
