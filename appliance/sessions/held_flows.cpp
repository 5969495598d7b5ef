#include "appliance/sessions/held_flows.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::sessions {

void HeldFlows::hold(const FlowSet& flows) {
  for (const FlowKey& flow : flows) {
    const auto at = flows_.try_emplace(flow).first;
    holding_ += at->second.reports++ == 0 ? 1 : 0;
    touch(at);
  }
}

void HeldFlows::release(const FlowSet& flows) {
  for (const FlowKey& flow : flows) {
    if (const auto at = flows_.find(flow); at != flows_.end() && at->second.reports > 0) {
      holding_ -= --at->second.reports == 0 ? 1 : 0;
      touch(at);
    }
  }
}

void HeldFlows::touch(Flows::iterator at) {
  if (!std::exchange(at->second.touched, true)) {
    touched_.push_back(at);
  }
}

bool HeldFlows::settle(Time now) {
  bool changed = false;
  for (const auto at : std::exchange(touched_, {})) {
    Held& held = at->second;
    held.touched = false;
    const bool wanted = held.reports > 0;
    changed = changed || wanted != held.watched;
    if (wanted && !held.watched) {
      held.watched = true;
      held.since = now;
      held.tell_at = now + kNoSignal;
      tell_at_ = std::min(tell_at_, held.tell_at);
    }
    if (!wanted) {
      flows_.erase(at);
    }
  }
  return changed;
}

bool HeldFlows::clear() {
  holding_ = 0;
  tell_at_ = kNever;
  touched_.clear();
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
