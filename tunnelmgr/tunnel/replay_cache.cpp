#include "tunnelmgr/tunnel/replay_cache.hpp"

#include <algorithm>

namespace hearthcast::tunnel {

bool ReplayCache::take(Bytes signature, Time now) {
  while (!by_age_.empty() && now - by_age_.front().first > lifetime_) {
    seen_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
  if (seen_.size() >= kCapacity) {
    return false;
  }
  Tag tag;
  std::copy_n(signature.begin(), tag.size(), tag.begin());
  if (!seen_.insert(tag).second) {
    return false;
  }
  by_age_.emplace_back(now, tag);
  return true;
}

}  // namespace hearthcast::tunnel
