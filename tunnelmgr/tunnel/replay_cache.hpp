// Remembers the signatures of packets that were accepted, for as long as their time stamps would let them in
// again. Pure; bounded: when it is full nothing new is accepted, since what is forgotten could come again.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <set>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::tunnel {

class ReplayCache {
 public:
  static constexpr std::size_t kCapacity = 8192;  // a peer sends reports, not media

  explicit ReplayCache(Duration lifetime) : lifetime_(lifetime) {}

  // True the first time within the lifetime. `signature`: at least 16 octets, of which the first 16 count.
  [[nodiscard]] bool take(Bytes signature, Time now);
  [[nodiscard]] std::size_t size() const { return seen_.size(); }

 private:
  using Tag = std::array<std::uint8_t, 16>;
  Duration lifetime_;
  std::set<Tag> seen_;
  std::deque<std::pair<Time, Tag>> by_age_;
};

}  // namespace hearthcast::tunnel
