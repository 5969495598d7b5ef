#include "appliance/sessions/held_flows.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hearthcast::sessions {

void HeldFlows::hold(const std::set<FlowKey>& flows) {
  for (const FlowKey& flow : flows) {
    holding_ += flows_[flow].reports++ == 0 ? 1 : 0;
  }
}

void HeldFlows::release(const std::set<FlowKey>& flows) {
  for (const FlowKey& flow : flows) {
    if (const auto at = flows_.find(flow); at != flows_.end() && at->second.reports > 0) {
      holding_ -= --at->second.reports == 0 ? 1 : 0;
    }
  }
}

bool HeldFlows::settle(Time now) {
  bool changed = false;
  for (auto at = flows_.begin(); at != flows_.end();) {
    Held& held = at->second;
    const bool wanted = held.reports > 0;
    changed = changed || wanted != held.watched;
    if (wanted && !held.watched) {
      held.watched = true;
      held.since = now;
      held.tell_at = now + kNoSignal;
      tell_at_ = std::min(tell_at_, held.tell_at);
    }
    at = wanted ? std::next(at) : flows_.erase(at);
  }
  return changed;
}

bool HeldFlows::clear() {
  holding_ = 0;
  tell_at_ = kNever;
  return !std::exchange(flows_, {}).empty();
}

void HeldFlows::on_signal(const FlowKey& flow, bool present, Time now) {
  const auto at = flows_.find(flow);
  if (at == flows_.end() || !at->second.watched || at->second.present == present) {
    return;
  }
  at->second.present = present;
  at->second.tell_at = present ? kNever : now + kNoSignal;
  tell_at_ = std::min(tell_at_, at->second.tell_at);
}

std::vector<FlowKey> HeldFlows::on_deadline(Time now) {
  std::vector<FlowKey> silent;
  if (now < tell_at_) {
    return silent;
  }
  tell_at_ = kNever;
  for (auto& [flow, held] : flows_) {
    if (held.tell_at > now) {
      tell_at_ = std::min(tell_at_, held.tell_at);
    } else {
      held.tell_at = kNever;
      silent.push_back(flow);
    }
  }
  return silent;
}

bool HeldFlows::watches(const FlowKey& flow) const {
  const auto at = flows_.find(flow);
  return at != flows_.end() && at->second.watched;
}

std::set<FlowKey> HeldFlows::watching() const {
  std::set<FlowKey> all;
  for (const auto& [flow, held] : flows_) {
    if (held.watched) {
      all.insert(all.end(), flow);
    }
  }
  return all;
}

std::map<FlowKey, Time> HeldFlows::watching_since() const {
  std::map<FlowKey, Time> all;
  for (const auto& [flow, held] : flows_) {
    if (held.watched) {
      all.emplace_hint(all.end(), flow, held.since);
    }
  }
  return all;
}

}  // namespace hearthcast::sessions
