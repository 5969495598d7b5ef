// Which flows the path to one device did not carry (docs/protocol/tunnel.md, `congestion`): they are withheld
// for a while, and refused in words that say what would fit. The ingress of a circuit breaker (RFC 8084).
// Pure; not thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tunnelmgr/base/flat_set.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"

namespace hearthcast::sessions {

class NarrowPaths {
 public:
  // How long such a flow is withheld; then the device may try again.
  static constexpr std::chrono::seconds kWithheld{30};

  // The device says that a flow does not get through; the refusal to answer with.
  [[nodiscard]] tunnel::Refusal note(const tunnel::Congestion& congestion, Time now);
  // Takes out of `granted` what is withheld now; a refusal for each.
  [[nodiscard]] std::vector<tunnel::Refusal> withhold(FlatSet<FlowKey>& granted, Time now);

 private:
  struct Narrow {
    Time until;
    std::string text;
  };
  std::map<FlowKey, Narrow> flows_;  // bounded: only what the device watched gets here
};

}  // namespace hearthcast::sessions
