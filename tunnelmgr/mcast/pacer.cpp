#include "tunnelmgr/mcast/pacer.hpp"

#include <algorithm>

namespace hearthcast::mcast {

Pacer::Pacer(double per_second, std::uint64_t count, Time start)
    : per_second_(per_second), count_(count), start_(start) {}

std::uint64_t Pacer::take(Time now) {
  std::uint64_t due = kBurst;
  if (per_second_ > 0) {
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto until_now = seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds * per_second_ + 1e-6) + 1;
    due = std::min(kBurst, until_now - std::min(until_now, sent_));
  }
  if (count_ != 0) {
    due = std::min(due, count_ - sent_);
  }
  sent_ += due;
  return due;
}

Time Pacer::next_deadline() const {
  if (done()) {
    return kNever;
  }
  if (per_second_ <= 0) {
    return start_;
  }
  const std::chrono::duration<double> at(static_cast<double>(sent_) / per_second_);
  return start_ + std::chrono::ceil<Duration>(at);
}

}  // namespace hearthcast::mcast
