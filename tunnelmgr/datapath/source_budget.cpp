#include "tunnelmgr/datapath/source_budget.hpp"

#include <algorithm>
#include <cstdint>

namespace hearthcast::datapath {
namespace {

constexpr std::size_t kSiteOctets = 7;  // of an IPv6 address: a /56

std::size_t hash_of(const IpAddress& source) {
  const Bytes octets = source.bytes();
  std::uint32_t hash = 2166136261U;
  for (const std::uint8_t octet : octets.first(std::min(octets.size(), kSiteOctets))) {
    hash = (hash ^ octet) * 16777619U;
  }
  return hash ^ hash >> 16;
}

}  // namespace

bool SourceBudget::take(const IpAddress& source, Time now) {
  TokenBucket& own = sources_.at(hash_of(source) % kBuckets);
  return own.has_token(now) && all_.take(now) && own.take(now);
}

}  // namespace hearthcast::datapath
