#include "tunnelmgr/tunnel/repair_estimate.hpp"

#include <algorithm>
#include <cmath>

namespace hearthcast::tunnel {
namespace {

using std::chrono::milliseconds;

constexpr double kLossWeight = 1.0 / 1024;  // of the newest packet: a second and a third of 8 Mbit/s
constexpr int kReorderFading = 4096;        // packets in which reordering fades to a third
constexpr Duration kLeastReorderWait = milliseconds{3};
constexpr Duration kMostReorderWait = milliseconds{150};
constexpr Duration kLeastMargin = milliseconds{10};
constexpr Duration kLeastSample = milliseconds{1};
constexpr Duration kLeastRetry = milliseconds{20};
constexpr Duration kMostRetry = milliseconds{400};
constexpr double kPacketRate = 760;  // 8 Mbit/s
constexpr double kTenMinutes = 600;
constexpr double kUnrepaired = 0.01;  // packets
constexpr int kMostAsks = 16;

}  // namespace

void RepairEstimate::count(double lost) {
  loss_ += (lost - loss_) * kLossWeight;
  reordering_ -= reordering_ / kReorderFading;
}

void RepairEstimate::on_round_trip(Duration sample) {
  sample = std::max(sample, kLeastSample);
  known_ = true;
  quiet_ = 0;
  if (!measured_) {
    measured_ = true;
    round_trip_ = sample;
    variation_ = sample / 4;
    return;
  }
  const Duration off = sample > round_trip_ ? sample - round_trip_ : round_trip_ - sample;
  variation_ += (off - variation_) / 4;
  round_trip_ += (sample - round_trip_) / 8;
}

void RepairEstimate::on_unsure_round_trip() {
  const Duration margin = std::max(variation_, kLeastMargin / 4);
  variation_ = std::min(margin + margin / 8, std::chrono::duration_cast<Duration>(kMostRetry) / 4);
}

void RepairEstimate::hint_round_trip(Duration measured) {
  known_ = true;
  hints_[next_hint_++ % kHints] = measured;
  Duration believed = measured;
  for (const Duration hint : hints_) {
    believed = hint == Duration{} ? believed : std::min(believed, hint);
  }
  if (!measured_ || round_trip_ < believed / 2 || ++quiet_ > kQuietHints) {
    measured_ = false;
    round_trip_ = believed;
    variation_ = believed / 8;
  }
}

void RepairEstimate::on_reordered(Duration lateness) {
  reordering_ = std::min(std::max(reordering_, lateness), kMostReorderWait);
}

Duration RepairEstimate::reorder_wait() const {
  return std::clamp(reordering_ + reordering_ / 4, kLeastReorderWait, kMostReorderWait);
}

Duration RepairEstimate::retry() const {
  return std::clamp(round_trip_ + std::max(variation_ * 4, kLeastMargin), kLeastRetry, kMostRetry);
}

int RepairEstimate::asks() const {
  // An ask fails when it or its answer is lost: the ways of a path are taken to be alike.
  const double fails = 1.0 - (1.0 - loss_) * (1.0 - loss_);
  const double lost = kPacketRate * kTenMinutes * loss_;
  if (lost <= kUnrepaired) {
    return 2;
  }
  if (fails >= 0.9) {
    return kMostAsks;
  }
  const double needed = std::ceil(std::log(kUnrepaired / lost) / std::log(fails));
  return std::clamp(static_cast<int>(needed), 2, kMostAsks);
}

Duration RepairEstimate::delay() const {
  const Duration last_ask = reorder_wait() + retry() + retry() / 2 * (asks() - 2);
  const Duration answer = round_trip_ + std::max(variation_ * 4, kLeastMargin);
  return std::clamp<Duration>(last_ask + answer, kLeastDelay, kMostDelay);
}

}  // namespace hearthcast::tunnel
