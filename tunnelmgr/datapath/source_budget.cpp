#include "tunnelmgr/datapath/source_budget.hpp"

#include <algorithm>
#include <chrono>
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

bool SourceBudget::has_token(Bucket& bucket, double rate, Time now) {
  const std::chrono::duration<double> passed = now - bucket.at;
  bucket = {std::min(rate, bucket.tokens + rate * passed.count()), now};
  return bucket.tokens >= 1;
}

bool SourceBudget::take(const IpAddress& source, Time now) {
  Bucket& own = sources_.at(hash_of(source) % kBuckets);
  if (!has_token(own, kOfOne, now) || !has_token(all_, kOfAll, now)) {
    return false;
  }
  own.tokens -= 1;
  all_.tokens -= 1;
  return true;
}

}  // namespace hearthcast::datapath
