// How often something may happen: so many times at once, and then at a pace. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <chrono>

#include "tunnelmgr/base/time.hpp"

namespace hearthcast {

class TokenBucket {
 public:
  // burst: the tokens of a full bucket, as it is at first. per_second: what comes back.
  constexpr TokenBucket(double burst, double per_second) : burst_(burst), per_second_(per_second) {}

  [[nodiscard]] bool is_full(Time now) const { return spent(now) <= 0; }
  [[nodiscard]] bool has_token(Time now) const { return burst_ - spent(now) >= 1; }
  // False when there is none.
  [[nodiscard]] bool take(Time now) {
    if (!has_token(now)) {
      return false;
    }
    spent_ = spent(now) + 1;
    at_ = now;
    return true;
  }

 private:
  [[nodiscard]] double spent(Time now) const {
    const std::chrono::duration<double> passed = now - at_;
    return std::max(0.0, spent_ - per_second_ * passed.count());
  }

  double burst_;
  double per_second_;
  double spent_ = 0;  // as of at_
  Time at_{};
};

}  // namespace hearthcast
