#include "tunnelmgr/nat/responder.hpp"

namespace hearthcast::nat {

void Responder::add(Agent& agent) { by_ufrag_[agent.local().ufrag] = &agent; }

void Responder::remove(const Agent& agent) {
  const auto found = by_ufrag_.find(agent.local().ufrag);
  if (found != by_ufrag_.end() && found->second == &agent) {
    by_ufrag_.erase(found);
  }
}

Agent* Responder::find(const wire::StunMessage& message) {
  if (message.message_class == wire::StunClass::kRequest && message.username) {
    const auto found = by_ufrag_.find(message.username->substr(0, message.username->find(':')));
    if (found != by_ufrag_.end()) {
      return found->second;
    }
  } else if (message.message_class == wire::StunClass::kSuccess ||
             message.message_class == wire::StunClass::kError) {
    for (const auto& [ufrag, agent] : by_ufrag_) {
      if (agent->expects(message.transaction)) {
        return agent;
      }
    }
  }
  ++unknown_;
  return nullptr;
}

}  // namespace hearthcast::nat
