// How many datagrams strangers may put before the control thread: so many a second from one source, and so
// many in all. Whoever floods the port fills no queue that established sessions need, and delays only those
// who share a source with him. A source is an IPv4 address or an IPv6 /56; sources share 256 buckets by their
// hash. Pure, fixed memory, no allocation.
#pragma once

#include <array>
#include <cstddef>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/token_bucket.hpp"

namespace hearthcast::datapath {

class SourceBudget {
 public:
  // Enough for the checks and handshakes of fifty devices that come at once from behind one address.
  static constexpr double kOfOne = 500;   // a second, and at once
  static constexpr double kOfAll = 2000;  // the same: some hundredths of a processor

  // False: it is over the budget, to be dropped.
  [[nodiscard]] bool take(const IpAddress& source, Time now);

 private:
  struct OfOne : TokenBucket {
    OfOne() : TokenBucket(kOfOne, kOfOne) {}
  };
  static constexpr std::size_t kBuckets = 256;

  std::array<OfOne, kBuckets> sources_;
  TokenBucket all_{kOfAll, kOfAll};
};

}  // namespace hearthcast::datapath
