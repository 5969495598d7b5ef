// How often somebody may do something: a token bucket per key, in bounded memory.
#pragma once

#include <cstddef>
#include <map>

#include "tunnelmgr/base/token_bucket.hpp"

namespace hearthcast::rendezvous {

struct Rate {
  double burst = 10;                           // tokens of a full bucket
  Duration refill = std::chrono::seconds{60};  // from empty to full
};

// Not thread-safe. With more than max_keys busy keys, new ones are refused until old ones have recovered:
// under a flood from everywhere the known ones keep working.
template <class Key>
class RateLimiter {
 public:
  explicit RateLimiter(Rate rate, std::size_t max_keys = 100000) : rate_(rate), max_keys_(max_keys) {}

  // Takes a token; false when there is none.
  [[nodiscard]] bool take(const Key& key, Time now) {
    if (now >= next_sweep_) {
      next_sweep_ = now + rate_.refill;
      std::erase_if(buckets_, [&](const auto& entry) { return entry.second.is_full(now); });
    }
    auto at = buckets_.find(key);
    if (at == buckets_.end()) {
      if (buckets_.size() >= max_keys_) {
        return false;
      }
      const double full = std::chrono::duration<double>(rate_.refill).count();
      at = buckets_.emplace(key, TokenBucket(rate_.burst, rate_.burst / full)).first;
    }
    return at->second.take(now);
  }
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  Rate rate_;
  std::size_t max_keys_;
  std::map<Key, TokenBucket> buckets_;
  Time next_sweep_{};
};

}  // namespace hearthcast::rendezvous
