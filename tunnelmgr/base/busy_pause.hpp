// How long a data thread lets datagrams gather before it looks again. While few come, not at all: each is
// handed on at once. Where many come, to be woken for each costs more than the work on it, and whoever is
// handed them is woken as often (docs/decisions/020-gathering-under-load.md). Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast {

class BusyPause {
 public:
  // So many a second are many: ten channels of 8 Mbit/s.
  static constexpr double kMany = 8000;
  // As long as so many take to come, which is all that a batch gains by.
  static constexpr double kGathered = 32;

  explicit BusyPause(Duration longest) : longest_(longest) {}

  // After each turn. total: datagrams since the beginning of time.
  void on_turn(std::uint64_t total, Time now);
  // Before the next look; zero: none.
  [[nodiscard]] Duration pause() const { return pause_; }

 private:
  static constexpr std::chrono::milliseconds kWindow{10};

  Duration longest_;
  Time window_begin_{};
  std::uint64_t total_then_ = 0;
  Duration pause_{};
};

}  // namespace hearthcast
