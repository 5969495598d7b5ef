#include "tunnelmgr/tunnel/flow_receiver.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::uint32_t kWindow = 64;
// So many numbers in a row far behind the rest are no stragglers, but a sender that started anew.
constexpr int kRestartRun = 4;

}  // namespace

void FlowReceiver::start(std::uint32_t sequence) {
  started_ = true;
  highest_ = sequence;
  seen_ = 1;
  old_run_ = 0;
  ++received_;
}

Arrival FlowReceiver::on_sequence(std::uint32_t sequence) {
  if (!started_) {
    start(sequence);
    // Numbers before the first are no loss: mark them as seen.
    seen_ = ~std::uint64_t{0};
    return Arrival::kNext;
  }
  const std::uint32_t ahead = sequence - highest_;
  if (ahead != 0 && ahead < 0x80000000U) {
    seen_ = ahead < kWindow ? (seen_ << ahead) | 1U : 1U;
    highest_ = sequence;
    old_run_ = 0;
    ++received_;
    lost_ += ahead - 1;
    return ahead == 1 ? Arrival::kNext : Arrival::kGap;
  }
  const std::uint32_t behind = highest_ - sequence;
  if (behind < kWindow) {
    const std::uint64_t bit = std::uint64_t{1} << behind;
    if ((seen_ & bit) != 0) {
      ++duplicates_;
      return Arrival::kDuplicate;
    }
    seen_ |= bit;
    ++received_;
    ++reordered_;
    if (lost_ > 0) {
      --lost_;
    }
    return Arrival::kLate;
  }
  old_run_ = sequence == old_last_ + 1 ? old_run_ + 1 : 1;
  old_last_ = sequence;
  if (old_run_ >= kRestartRun) {
    start(sequence);
    seen_ = ~std::uint64_t{0};
    return Arrival::kRestart;
  }
  ++duplicates_;
  return Arrival::kDuplicate;
}

}  // namespace hearthcast::tunnel
