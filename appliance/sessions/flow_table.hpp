// Which flows the box carries and who gets them: the sum of what every tunnel may watch now. A flow starts
// with its first viewer and stops after its last; two viewers of one flow cost one upstream join. Pure; not
// thread-safe.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/flat_set.hpp"
#include "tunnelmgr/base/ids.hpp"

namespace hearthcast::sessions {

// Join upstream and carry this flow from now on.
struct StartFlow {
  FlowId flow;
  FlowKey key;
};
// Leave upstream.
struct StopFlow {
  FlowId flow;
};
// Who gets what changed; read it from viewers(). Comes after the flow starts that it needs and before the
// stops.
struct ViewersChanged {};

using FlowAction = std::variant<StartFlow, StopFlow, ViewersChanged>;
using FlowActions = std::vector<FlowAction>;

class FlowTable {
 public:
  // All that this tunnel watches from now on; empty when it watches nothing, or is gone.
  [[nodiscard]] FlowActions watch(PeerId peer, const std::set<FlowKey>& flows);

  struct Flow {
    FlowId id;  // 1 to 2^32-1, never reused by this table
    FlatSet<PeerId> viewers;
  };
  [[nodiscard]] const std::map<FlowKey, Flow>& flows() const { return flows_; }
  [[nodiscard]] const FlowKey* find(FlowId flow) const;  // nullptr: not carried
  [[nodiscard]] bool watches(PeerId peer, const FlowKey& key) const;

 private:
  std::map<FlowKey, Flow> flows_;
  // Keys of flows_: a flow is there as long as somebody watches it.
  std::unordered_map<FlowId, const FlowKey*> by_id_;
  std::map<PeerId, std::vector<const FlowKey*>> watched_;  // in order of the keys
  std::int64_t next_id_ = 1;
};

}  // namespace hearthcast::sessions
