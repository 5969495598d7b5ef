// When what is missing is asked for, for how long it is waited for, and what the answers tell of the path.
#include <algorithm>
#include <utility>

#include "tunnelmgr/tunnel/repair_receiver.hpp"

namespace hearthcast::tunnel {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kLeastOutstanding = 32;
constexpr Duration kAskTogether = milliseconds{1};
constexpr Duration kBusy = milliseconds{5};
constexpr Duration kCopyApart = milliseconds{1};
constexpr Duration kLeastWait = milliseconds{10};
constexpr Duration kLeastSilence = milliseconds{20};

}  // namespace

std::optional<Nack> RepairReceiver::next_nack(Time now) {
  if (!repair_ || next_ask_ > now) {
    return std::nullopt;
  }
  Nack nack(flow_);
  next_ask_ = kNever;
  std::uint32_t left = missing_;
  for (std::uint32_t sequence = base_; left > 0; ++sequence) {
    auto& one = entry(sequence);
    if (one.state != State::kMissing) {
      continue;
    }
    --left;
    if (one.when > now + kAskTogether) {
      next_ask_ = std::min(next_ask_, one.when);
      continue;
    }
    if (one.asks == 0 && outstanding_ >= most_outstanding()) {
      next_ask_ = std::min(next_ask_, now + kBusy);  // as fast as the answers come
      continue;
    }
    if (now + estimate_.round_trip() / 4 * 3 > patient_until(one)) {
      one.when = kNever;  // the answer would be late
      continue;
    }
    if (!nack.add(sequence)) {
      next_ask_ = now;
      break;
    }
    outstanding_ += one.asks == 0 ? 1 : 0;
    if (one.asks == 0 && one.loss_event) {
      estimate_.on_loss();
    }
    one.asks = static_cast<std::uint8_t>(std::min(one.asks + 1, 255));
    one.asked = now;
    one.first_asked = one.asks == 1 ? now : one.first_asked;
    // The box sends answers at the flow's own rate: what is asked for already comes before this one.
    one.when =
        now + (one.asks == 1 ? estimate_.retry() : estimate_.retry() / 2) + interval_ * (outstanding_ - 1);
    next_ask_ = std::min(next_ask_, one.when);
    ++counters_.asked;
  }
  if (nack.ranges().empty()) {
    return std::nullopt;
  }
  ++counters_.nacks;
  return nack;
}

Time RepairReceiver::next_deadline() const {
  Time first = std::min(awaited_until_, repair_ ? next_ask_ : kNever);
  if (base_ != end_ && entry(base_).state == State::kMissing) {
    first = std::min(first, give_up_at(entry(base_)));
  }
  return first;
}

void RepairReceiver::note_answer(Entry& found, Time now) {
  const Duration since = now - found.asked;
  // Sooner than an answer to the latest ask can be here. After only one ask it is taken for the answer all
  // the same: the estimate may be wrong, and if it was on its way all the time a second copy will tell.
  const bool too_soon = estimate_.knows_round_trip() && since < estimate_.round_trip() / 2;
  if (found.asks == 0) {
    ++counters_.reordered;
    estimate_.on_reordered(now - found.noticed);
    return;
  }
  ++counters_.repaired;
  if (found.disturbed) {
    return;
  }
  if (found.asks == 1) {
    estimate_.on_round_trip(since);
  } else if (found.asks == 2 && too_soon) {
    estimate_.on_round_trip(now - found.first_asked);  // its own, which takes longer than thought
  } else {
    estimate_.on_unsure_round_trip();
  }
}

// The answer to an ask comes after the packet itself came: it was only late.
void RepairReceiver::note_second_copy(Entry& found, Time now) {
  if (found.asks == 1 && found.when > found.asked && now > found.when + kCopyApart) {
    estimate_.on_reordered(found.when - found.noticed);
    --counters_.repaired;
    ++counters_.reordered;
  }
  found.asks = 0;
}

void RepairReceiver::end_silence(Time now) {
  const Duration passed = now - std::exchange(came_at_, now);
  if (passed <= silence()) {
    ++steady_packets_;
    return;
  }
  // Of a flow that often has pauses they tell what it is like.
  std::uint32_t left = steady() ? missing_ : 0;
  steady_packets_ = 0;
  for (std::uint32_t sequence = base_; left > 0; ++sequence) {
    auto& one = entry(sequence);
    if (one.state != State::kMissing) {
      continue;
    }
    --left;
    one.disturbed = one.asks > 0;
    one.patience = std::min(one.patience + std::chrono::floor<Patience>(passed), Patience{kMostDelay});
    if (one.when == kNever) {  // there is time for another ask now
      one.when = now;
      next_ask_ = now;
    }
  }
}

Duration RepairReceiver::delay() const {
  return repair_ ? estimate_.delay()
                 : std::clamp<Duration>(estimate_.reorder_wait() * 2, kLeastWait, kLeastDelay);
}

Duration RepairReceiver::silence() const { return std::max(kLeastSilence, interval_ * 4); }

Time RepairReceiver::patient_until(const Entry& found) const {
  return found.noticed + (repair_ ? std::max<Duration>(delay(), found.patience) : delay());
}

Time RepairReceiver::give_up_at(const Entry& found) const {
  const Time until = patient_until(found);
  const bool by_then_silent = repair_ && steady() && until > came_at_ + silence();
  return by_then_silent ? std::max(until, found.noticed + kMostDelay) : until;
}

std::uint32_t RepairReceiver::most_outstanding() const {
  const auto in_a_retry = estimate_.retry() * 2 / std::max<Duration>(interval_, std::chrono::microseconds{1});
  return std::max(kLeastOutstanding, static_cast<std::uint32_t>(std::min<std::int64_t>(in_a_retry, kWindow)));
}

}  // namespace hearthcast::tunnel
