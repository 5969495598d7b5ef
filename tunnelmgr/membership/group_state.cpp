#include "tunnelmgr/membership/group_state.hpp"

#include <algorithm>

namespace hearthcast::membership {
namespace {

using wire::RecordType;

std::vector<IpAddress> keys(const std::map<IpAddress, Time>& timers) {
  std::vector<IpAddress> all;
  all.reserve(timers.size());
  for (const auto& [source, until] : timers) {
    all.push_back(source);
  }
  return all;
}

}  // namespace

Ask GroupState::on_record(RecordType type, const std::vector<IpAddress>& sources, Time until) {
  switch (type) {
    case RecordType::kModeIsInclude:
    case RecordType::kAllowNewSources:
      request(sources, until);
      return {};
    case RecordType::kModeIsExclude:
      exclude(sources, until);
      filter_timer_ = until;
      return {};
    case RecordType::kChangeToExclude:
      exclude(sources, filter_timer_);
      filter_timer_ = until;
      return {.group = false, .sources = keys(requested_)};
    case RecordType::kChangeToInclude:
      return change_to_include(sources, until);
    case RecordType::kBlockOldSources:
      return block(sources);
  }
  return {};
}

// INCLUDE (A) -> INCLUDE (A+B); EXCLUDE (X,Y) -> EXCLUDE (X+A,Y-A).
void GroupState::request(const std::vector<IpAddress>& sources, Time until) {
  for (const IpAddress& source : sources) {
    requested_[source] = until;
    excluded_.erase(source);
  }
}

// INCLUDE (A) -> EXCLUDE (A*B,B-A), EXCLUDE (X,Y) -> EXCLUDE (A-Y,Y*A): a known source keeps its timer or the
// lack of one, one that nobody named is forgotten.
void GroupState::exclude(const std::vector<IpAddress>& sources, Time timer_of_new_ones) {
  std::map<IpAddress, Time> requested;
  AddressSet excluded;
  for (const IpAddress& source : sources) {
    if (const auto timer = requested_.find(source); timer != requested_.end()) {
      requested.insert(*timer);
    } else if (mode_ == FilterMode::kInclude || excluded_.contains(source)) {
      excluded.insert(source);
    } else {
      requested.emplace(source, timer_of_new_ones);
    }
  }
  mode_ = FilterMode::kExclude;
  requested_ = std::move(requested);
  excluded_ = std::move(excluded);
}

// INCLUDE (A): Q(A*B). EXCLUDE (X,Y) -> EXCLUDE (X+(A-Y),Y): Q(A-Y); others may still want what one host
// blocks.
Ask GroupState::block(const std::vector<IpAddress>& sources) {
  Ask ask;
  for (const IpAddress& source : AddressSet(sources.begin(), sources.end())) {
    if (mode_ == FilterMode::kExclude && !excluded_.contains(source)) {
      requested_.try_emplace(source, filter_timer_);
    }
    if (requested_.contains(source)) {
      ask.sources.push_back(source);
    }
  }
  return ask;
}

// INCLUDE (A) -> INCLUDE (A+B): Q(A-B). EXCLUDE (X,Y) -> EXCLUDE (X+A,Y-A): Q(X-A), Q().
Ask GroupState::change_to_include(const std::vector<IpAddress>& sources, Time until) {
  Ask ask{.group = mode_ == FilterMode::kExclude, .sources = keys(requested_)};
  const AddressSet wanted(sources.begin(), sources.end());
  std::erase_if(ask.sources, [&](const IpAddress& source) { return wanted.contains(source); });
  request(sources, until);
  return ask;
}

Ask GroupState::lower(const Ask& ask, Time until) {
  Ask lowered;
  for (const IpAddress& source : ask.sources) {
    if (const auto timer = requested_.find(source); timer != requested_.end() && timer->second > until) {
      timer->second = until;
      lowered.sources.push_back(source);
    }
  }
  if (ask.group && mode_ == FilterMode::kExclude && filter_timer_ > until) {
    filter_timer_ = until;
    lowered.group = true;
  }
  return lowered;
}

void GroupState::raise(Time until) {
  for (auto& [source, timer] : requested_) {
    timer = std::max(timer, until);
  }
  filter_timer_ = std::max(filter_timer_, until);
}

void GroupState::on_deadline(Time now) {
  const bool excludes = excludes_at(now);
  for (auto at = requested_.begin(); at != requested_.end();) {
    if (at->second > now) {
      ++at;
      continue;
    }
    if (excludes) {
      excluded_.insert(at->first);
    }
    at = requested_.erase(at);
  }
  if (!excludes) {
    mode_ = FilterMode::kInclude;
    excluded_.clear();
  }
}

Time GroupState::next_deadline() const {
  Time next = mode_ == FilterMode::kExclude ? filter_timer_ : kNever;
  for (const auto& [source, until] : requested_) {
    next = std::min(next, until);
  }
  return next;
}

SourceFilter GroupState::filter() const {
  if (mode_ == FilterMode::kExclude) {
    return {mode_, excluded_};
  }
  SourceFilter filter;
  for (const auto& [source, until] : requested_) {
    filter.sources.insert(filter.sources.end(), source);
  }
  return filter;
}

bool GroupState::admits_at(const IpAddress& source, Time now) const {
  if (excludes_at(now)) {
    return !excluded_.contains(source);
  }
  const auto timer = requested_.find(source);
  return timer != requested_.end() && timer->second > now;
}

}  // namespace hearthcast::membership
