// Many delays in little room: exact least, most, mean and variance, and percentiles that are at most 0.8 %
// too high. Delays below zero (two clocks that disagree) count as such and as zero in the percentiles.
#pragma once

#include <array>
#include <cstdint>

namespace hearthcast::mcast {

class Latency {
 public:
  void add(std::int64_t nanoseconds);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t below_zero() const { return below_zero_; }
  // In nanoseconds, from here on; 0 without any.
  [[nodiscard]] std::int64_t least() const { return least_; }
  [[nodiscard]] std::int64_t most() const { return most_; }
  [[nodiscard]] double mean() const { return mean_; }
  [[nodiscard]] double variance() const;  // of the sample, squared nanoseconds
  // The least delay that `share` (0 to 1) of all do not exceed.
  [[nodiscard]] std::int64_t percentile(double share) const;

 private:
  static constexpr int kBits = 7;  // values share a place when their first 8 binary digits agree
  static constexpr std::size_t kPlaces = (64 - kBits) << kBits;
  [[nodiscard]] static std::size_t place(std::uint64_t value);
  [[nodiscard]] static std::uint64_t highest(std::size_t place);

  std::array<std::uint64_t, kPlaces> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t below_zero_ = 0;
  std::int64_t least_ = 0;
  std::int64_t most_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // of the distances from the mean (Welford)
};

}  // namespace hearthcast::mcast
