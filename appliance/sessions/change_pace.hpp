// How fast what one device watches may change upstream. What a person does is done at once; what flaps is
// gathered, and only its outcome is joined and left: each change costs sockets here and reports to the
// provider.
//
// The generic cell rate algorithm: no timer, no count. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sessions {

class ChangePace {
 public:
  static constexpr int kAtOnce = 256;  // flows that begin or end without a pause: all that a device may have
  static constexpr int kPerSecond = 64;

  // When changes may be made: not later than now means at once.
  [[nodiscard]] Time next() const { return all_paid_ - kAtOnce * kEach; }
  void spend(std::size_t changes, Time now) {
    all_paid_ = std::max(all_paid_, now) + static_cast<Duration::rep>(changes) * kEach;
  }

 private:
  static constexpr Duration kEach = Duration(std::chrono::seconds{1}) / kPerSecond;
  Time all_paid_{};
};

}  // namespace hearthcast::sessions
