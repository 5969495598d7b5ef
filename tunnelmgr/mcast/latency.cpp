#include "tunnelmgr/mcast/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hearthcast::mcast {

std::size_t Latency::place(std::uint64_t value) {
  if (value < (std::uint64_t{1} << kBits)) {
    return static_cast<std::size_t>(value);
  }
  const int shift = static_cast<int>(std::bit_width(value)) - kBits - 1;
  const auto mantissa = static_cast<std::size_t>(value >> shift) - (std::size_t{1} << kBits);
  return (static_cast<std::size_t>(shift + 1) << kBits) + mantissa;
}

std::uint64_t Latency::highest(std::size_t place) {
  const std::size_t row = place >> kBits;
  if (row == 0) {
    return place;
  }
  const std::uint64_t mantissa = (place & ((std::size_t{1} << kBits) - 1)) + (std::uint64_t{1} << kBits);
  return ((mantissa + 1) << (row - 1)) - 1;
}

void Latency::add(std::int64_t nanoseconds) {
  least_ = count_ == 0 ? nanoseconds : std::min(least_, nanoseconds);
  most_ = count_ == 0 ? nanoseconds : std::max(most_, nanoseconds);
  ++count_;
  below_zero_ += nanoseconds < 0 ? 1 : 0;
  const double value = static_cast<double>(nanoseconds);
  const double distance = value - mean_;
  mean_ += distance / static_cast<double>(count_);
  squares_ += distance * (value - mean_);
  ++counts_[place(static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)))];
}

double Latency::variance() const { return count_ < 2 ? 0 : squares_ / static_cast<double>(count_ - 1); }

std::int64_t Latency::percentile(double share) const {
  if (count_ == 0) {
    return 0;
  }
  const auto rank = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      return std::min(static_cast<std::int64_t>(highest(i)), std::max<std::int64_t>(most_, 0));
    }
  }
  return most_;
}

}  // namespace hearthcast::mcast
