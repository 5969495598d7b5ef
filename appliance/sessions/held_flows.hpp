// The flows that a device's reports hold: counted, with the time since when each is watched and the time to
// say that nothing comes of it. Two reports may hold the same flow; it goes with the last of them.
//
// A report that is decided anew releases and holds in one input, so flows come and go only at settle(). Not
// thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/flat_set.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sessions {

using FlowSet = FlatSet<FlowKey>;  // what one report was granted: often one flow, never many

class HeldFlows {
 public:
  // How long a watched flow may bring nothing before that is said.
  static constexpr std::chrono::seconds kNoSignal{5};

  void hold(const FlowSet& flows);
  void release(const FlowSet& flows);  // what none holds is skipped
  // At the end of an input: true when more or fewer flows are watched than before.
  bool settle(Time now);
  bool clear();  // true when any was there

  void on_signal(const FlowKey& flow, bool present, Time now);
  // Watched ones of which nothing came for that long; each is told once for each silence.
  [[nodiscard]] std::vector<FlowKey> on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return tell_at_; }

  [[nodiscard]] std::size_t count() const { return holding_; }
  [[nodiscard]] bool watches(const FlowKey& flow) const;
  [[nodiscard]] std::set<FlowKey> watching() const;
  [[nodiscard]] std::map<FlowKey, Time> watching_since() const;

 private:
  struct Held {
    std::uint32_t reports = 0;  // that hold it; with none it goes at the end of the input
    bool watched = false;       // as of the last settle()
    bool touched = false;       // since then
    bool present = false;       // its data comes
    Time since{};               // when it began to be watched
    Time tell_at = kNever;
  };
  using Flows = std::map<FlowKey, Held>;
  void touch(Flows::iterator at);

  Flows flows_;
  std::vector<Flows::iterator> touched_;  // only settle() takes flows out
  std::size_t holding_ = 0;               // how many of these some report holds
  Time tell_at_ = kNever;                 // not after the first of theirs
};

}  // namespace hearthcast::sessions
