// Finds, at the box, the agent that a STUN message on the shared socket is for: a request by the first half
// of its USERNAME, which is the box's own ufrag of that pair; an answer by its transaction. What finds no
// agent gets no answer and is counted. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "tunnelmgr/nat/agent.hpp"

namespace hearthcast::nat {

class Responder {
 public:
  // The agent must outlive its registration.
  void add(Agent& agent);
  void remove(const Agent& agent);

  // nullptr: nobody's. Says nothing about authenticity; the agent checks that.
  [[nodiscard]] Agent* find(const wire::StunMessage& message);
  [[nodiscard]] std::uint64_t unknown() const { return unknown_; }

 private:
  std::unordered_map<std::string, Agent*> by_ufrag_;  // the agent's local ufrag
  std::uint64_t unknown_ = 0;
};

}  // namespace hearthcast::nat
