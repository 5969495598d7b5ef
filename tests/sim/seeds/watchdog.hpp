// Whether the picture is there whenever it can be: never away for longer than the bound once nothing is in
// its way, and how long it was away after each disturbance.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/seeds/scenario.hpp"

namespace hearthcast::sim {

struct Recovery {
  EventKind after = EventKind::kViewerLeaves;
  Duration gap{};  // from when it could be back
};

class Watchdog {
 public:
  static constexpr Duration kNoGap = std::chrono::milliseconds{600};  // shorter ones are no interruption

  // Something happened now; the picture may be gone because of it.
  void on_event(EventKind kind, Time now) {
    last_event_ = kind;
    since_ = now;
  }
  // Whether it can be there; from false to true counts as from when it can be back.
  void set_possible(bool possible, Time now) {
    if (possible && !possible_) {
      since_ = now;
    }
    possible_ = possible;
  }
  void on_media(Time now) {
    if (const Duration gap = now - std::max(last_media_, since_); possible_ && gap > kNoGap) {
      recoveries_.push_back({last_event_, gap});
    }
    last_media_ = now;
  }
  // Since when it has been away although it can be there.
  [[nodiscard]] Duration away(Time now) const {
    return possible_ ? now - std::max(last_media_, since_) : Duration{};
  }
  [[nodiscard]] bool healthy(Time now) const { return now - last_media_ <= kNoGap; }
  [[nodiscard]] EventKind last_event() const { return last_event_; }
  [[nodiscard]] const std::vector<Recovery>& recoveries() const { return recoveries_; }

 private:
  bool possible_ = false;
  EventKind last_event_ = EventKind::kViewerLeaves;
  Time since_{};
  Time last_media_{};
  std::vector<Recovery> recoveries_;
};

}  // namespace hearthcast::sim
