#include "tunnelmgr/membership/tracked_listeners.hpp"

#include <algorithm>

namespace hearthcast::membership {

void TrackedListeners::on_record(const IpAddress& host, const wire::GroupRecord& record, Time until, Time now,
                                 const Limits& limits) {
  auto at = listeners_.find(host);
  if (at == listeners_.end()) {
    if (listeners_.size() >= limits.listeners) {
      forget_expired(now);
    }
    if (listeners_.size() >= limits.listeners) {
      on_hidden(until);
      return;
    }
    at = listeners_.try_emplace(host).first;
  }
  Listener& listener = at->second;
  listener.heard = now;
  listener.state.on_deadline(now);
  (void)listener.state.lower(listener.state.on_record(record.type, record.sources, until), now);
  listener.state.on_deadline(now);
  if (listener.state.sources() > limits.sources) {
    on_hidden(until);
    listeners_.erase(at);
  } else if (listener.state.empty()) {
    listeners_.erase(at);
  }
}

Ask TrackedListeners::unwanted(const Ask& ask, Time now) const {
  const auto anybody = [&](const auto& wants) {
    return std::any_of(listeners_.begin(), listeners_.end(),
                       [&](const auto& entry) { return wants(entry.second.state); });
  };
  Ask unwanted{.group = ask.group && !anybody([&](const GroupState& s) { return s.excludes_at(now); })};
  for (const IpAddress& source : ask.sources) {
    if (!anybody([&](const GroupState& s) { return s.admits_at(source, now); })) {
      unwanted.sources.push_back(source);
    }
  }
  return unwanted;
}

std::map<IpAddress, Time> TrackedListeners::included(Time now) const {
  std::map<IpAddress, Time> sources;
  for (const auto& [host, listener] : listeners_) {
    for (const auto& [source, until] : listener.state.requested()) {
      if (until > now) {
        Time& latest = sources[source];
        latest = std::max(latest, until);
      }
    }
  }
  return sources;
}

void TrackedListeners::forget_expired(Time now) {
  for (auto at = listeners_.begin(); at != listeners_.end();) {
    at->second.state.on_deadline(now);
    at = at->second.state.empty() ? listeners_.erase(at) : std::next(at);
  }
}

}  // namespace hearthcast::membership
