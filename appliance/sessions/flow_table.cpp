#include "appliance/sessions/flow_table.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::sessions {

FlowActions FlowTable::watch(PeerId peer, const std::set<FlowKey>& flows) {
  std::vector<const FlowKey*>& watched = watched_[peer];
  const auto same = [](const FlowKey* one, const FlowKey& other) { return *one == other; };
  if (std::ranges::equal(watched, flows, same)) {
    if (flows.empty()) {
      watched_.erase(peer);
    }
    return {};
  }
  FlowActions actions, stops;
  std::vector<const FlowKey*> from_now_on;
  from_now_on.reserve(flows.size());
  for (const FlowKey& key : flows) {
    const auto at = flows_.try_emplace(key).first;
    Flow& flow = at->second;
    if (flow.viewers.empty()) {
      flow.id = FlowId{next_id_++};
      by_id_.emplace(flow.id, &at->first);
      actions.push_back(StartFlow{flow.id, key});
    }
    flow.viewers.insert(peer);
    from_now_on.push_back(&at->first);
  }
  actions.push_back(ViewersChanged{});
  for (const FlowKey* key : watched) {
    if (flows.contains(*key)) {
      continue;
    }
    const auto at = flows_.find(*key);
    at->second.viewers.erase(peer);
    if (at->second.viewers.empty()) {
      stops.push_back(StopFlow{at->second.id});
      by_id_.erase(at->second.id);
      flows_.erase(at);
    }
  }
  if (flows.empty()) {
    watched_.erase(peer);
  } else {
    watched = std::move(from_now_on);
  }
  actions.insert(actions.end(), stops.begin(), stops.end());
  return actions;
}

const FlowKey* FlowTable::find(FlowId flow) const {
  const auto found = by_id_.find(flow);
  return found == by_id_.end() ? nullptr : found->second;
}

bool FlowTable::watches(PeerId peer, const FlowKey& key) const {
  const auto found = watched_.find(peer);
  return found != watched_.end() &&
         std::ranges::binary_search(found->second, key, {}, [](const FlowKey* each) { return *each; });
}

}  // namespace hearthcast::sessions
