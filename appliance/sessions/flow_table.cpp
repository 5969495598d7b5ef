#include "appliance/sessions/flow_table.hpp"

namespace hearthcast::sessions {

FlowActions FlowTable::watch(PeerId peer, const std::set<FlowKey>& flows) {
  FlowActions starts, stops;
  std::set<FlowKey>& watched = watched_[peer];
  if (watched == flows) {
    if (flows.empty()) {
      watched_.erase(peer);
    }
    return {};
  }
  for (const FlowKey& key : flows) {
    if (watched.contains(key)) {
      continue;
    }
    Flow& flow = flows_[key];
    if (flow.viewers.empty()) {
      flow.id = FlowId{next_id_++};
      by_id_.emplace(flow.id, &flows_.find(key)->first);
      starts.push_back(StartFlow{flow.id, key});
    }
    flow.viewers.insert(peer);
  }
  for (const FlowKey& key : watched) {
    if (flows.contains(key)) {
      continue;
    }
    Flow& flow = flows_.at(key);
    flow.viewers.erase(peer);
    if (flow.viewers.empty()) {
      stops.push_back(StopFlow{flow.id});
      by_id_.erase(flow.id);
      flows_.erase(key);
    }
  }
  if (flows.empty()) {
    watched_.erase(peer);
  } else {
    watched = flows;
  }
  FlowActions actions = std::move(starts);
  actions.push_back(ViewersChanged{});
  actions.insert(actions.end(), stops.begin(), stops.end());
  return actions;
}

const FlowKey* FlowTable::find(FlowId flow) const {
  const auto found = by_id_.find(flow);
  return found == by_id_.end() ? nullptr : found->second;
}

bool FlowTable::watches(PeerId peer, const FlowKey& key) const {
  const auto found = watched_.find(peer);
  return found != watched_.end() && found->second.contains(key);
}

}  // namespace hearthcast::sessions
