#include "tunnelmgr/tunnel/repair_receiver.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::tunnel {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kHalf = 0x80000000U;  // of the number space: what is farther is behind
constexpr std::uint32_t kMostAhead = RepairReceiver::kWindow / 2;  // a longer gap begins anew
constexpr std::uint32_t kLossEventsOfAGap = 16;  // an outage says little about the loss of other times
constexpr std::uint32_t kLeastOutstanding = 32;
constexpr int kRestartRun = 4;  // so many in a row far behind are no stragglers, but a sender begun anew
constexpr Duration kLongestInterval = milliseconds{100};
constexpr Duration kPreludeStall = milliseconds{300};
constexpr Duration kAskTogether = milliseconds{1};
constexpr Duration kBusy = milliseconds{5};
constexpr Duration kCopyApart = milliseconds{1};
constexpr Duration kLeastWait = milliseconds{10};
constexpr Duration kLeastSilence = milliseconds{20};

bool before(std::uint32_t a, std::uint32_t b) { return a - b >= kHalf; }

}  // namespace

void RepairReceiver::start(std::uint32_t sequence) {
  started_ = true;
  floor_ = base_ = end_ = awaited_ = awaited_end_ = sequence;
  prelude_end_.reset();
  awaited_until_ = kNever;
  missing_ = outstanding_ = 0;
  next_ask_ = kNever;
  old_run_ = 0;
}

void RepairReceiver::flush(Time now, Sink& sink) {
  while (base_ != end_) {
    give_up_front(end_, now, sink);
  }
}

void RepairReceiver::restart(std::uint32_t flow, Time now, Sink& sink) {
  flush(now, sink);
  flow_ = flow;
  started_ = false;
  awaited_ = awaited_end_ = end_;
  awaited_until_ = next_ask_ = kNever;
}

Arrival RepairReceiver::on_packet(std::uint32_t sequence, Bytes payload, Time now, Sink& sink) {
  if (!started_) {
    start(sequence);
    newest_at_ = came_at_ = now;
  }
  end_silence(now);
  return before(sequence, end_) ? on_old(sequence, payload, now, sink) : on_new(sequence, payload, now, sink);
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

Arrival RepairReceiver::on_new(std::uint32_t sequence, Bytes payload, Time now, Sink& sink) {
  const std::uint32_t gap = sequence - end_;
  old_run_ = 0;
  ++counters_.received;
  if (gap > kMostAhead) {
    flush(now, sink);
    counters_.lost += gap;
    start(sequence);
  } else {
    while (sequence + 1 - base_ > kWindow) {
      give_up_front(end_, now, sink);
    }
    if (gap == 0) {
      interval_ += (std::min(now - newest_at_, kLongestInterval) - interval_) / 64;
      estimate_.on_packet();
    } else {
      note_gap(end_, gap, now);
    }
  }
  newest_at_ = now;
  end_ = sequence + 1;
  entry(sequence) = {};
  drain(now, sink);  // what of the gap was given up at once
  deliver(sequence, payload, now, sink);
  return gap == 0 ? Arrival::kNext : Arrival::kGap;
}

// Only what can come within kMostDelay is waited for: the box repairs at most as fast as it sends live.
void RepairReceiver::note_gap(std::uint32_t first, std::uint32_t count, Time now) {
  const Duration margin = estimate_.retry() * 2;
  const Duration needed = interval_ * count * 3 / 2 + margin;  // half as much again: some are lost once more
  std::uint32_t given_up = 0;
  if (interval_ * count + margin > kMostDelay && repair_) {
    const auto kept = static_cast<std::uint32_t>((kMostDelay - margin) / std::max(interval_, Duration{1}));
    given_up = count > kept ? count - kept : 0;
  }
  // At least what is right now: its asks are planned by that, and the estimate may shrink before the last.
  const Duration patience = count > 1 ? std::max(delay(), std::min<Duration>(needed, kMostDelay)) : delay();
  for (std::uint32_t n = 0; n < count; ++n) {
    auto& missing = entry(first + n);
    missing = {};
    if (n < given_up) {
      missing.state = State::kLost;
      ++counters_.lost;
      continue;
    }
    missing.loss_event = n - given_up < kLossEventsOfAGap;
    miss(missing, patience, now);
  }
}

// It is to be asked for once it cannot be reordering any more.
void RepairReceiver::miss(Entry& one, Duration patience, Time now) {
  one.state = State::kMissing;
  one.patience = Patience(static_cast<std::uint16_t>(std::chrono::floor<milliseconds>(patience).count()));
  one.noticed = now;
  one.when = now + estimate_.reorder_wait();
  ++missing_;
  next_ask_ = std::min(next_ask_, one.when);
}

Arrival RepairReceiver::on_old(std::uint32_t sequence, Bytes payload, Time now, Sink& sink) {
  if (before(sequence, floor_) || end_ - sequence > kWindow) {
    return on_too_old(sequence, payload, now, sink);
  }
  old_run_ = 0;
  auto& found = entry(sequence);
  switch (found.state) {
    case State::kDone:
    case State::kHeld:
      note_second_copy(found, now);
      ++counters_.duplicates;
      return Arrival::kDuplicate;
    case State::kLost:
      found.state = State::kDone;  // only the first late copy is news
      found.asks = 0;
      ++counters_.late;
      return Arrival::kDuplicate;
    case State::kAwaited:
      advance_awaited(sequence, now);
      awaited_ = sequence + 1;
      awaited_until_ = awaited_ == awaited_end_ ? kNever : now + kPreludeStall;
      estimate_.on_packet();
      break;
    case State::kMissing:
      note_answer(found, now);
      forget_missing(found);
      break;
  }
  ++counters_.received;
  deliver(sequence, payload, now, sink);
  return Arrival::kLate;
}

Arrival RepairReceiver::on_too_old(std::uint32_t sequence, Bytes payload, Time now, Sink& sink) {
  const bool far = end_ - sequence > kWindow;  // else from before we began
  old_run_ = far && sequence == old_last_ + 1 ? old_run_ + 1 : 1;
  old_last_ = sequence;
  if (old_run_ < kRestartRun) {
    ++counters_.duplicates;
    return Arrival::kDuplicate;
  }
  flush(now, sink);
  start(sequence);
  newest_at_ = now;
  (void)on_new(sequence, payload, now, sink);
  return Arrival::kRestart;
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

void RepairReceiver::on_prelude(const Prelude& prelude, Time now) {
  const std::uint32_t live = prelude.first + prelude.count;
  if (prelude.count > kMostAhead || prelude_end_ == live) {
    return;
  }
  if (!started_) {
    start(prelude.first);
    newest_at_ = now;
  } else if (before(prelude.first, floor_)) {
    return;  // what came live was handed on already
  }
  if (awaited_ != awaited_end_ || live - base_ > kWindow) {
    return;
  }
  prelude_end_ = live;
  awaited_ = base_;
  for (std::uint32_t sequence = base_; sequence != live; ++sequence) {
    auto& one = entry(sequence);
    if (!before(sequence, end_)) {
      one = {};
      one.state = State::kAwaited;
    } else if (one.state == State::kMissing && one.asks == 0) {
      --missing_;
      one.state = State::kAwaited;
    }
  }
  if (before(end_, live)) {
    end_ = live;
  }
  awaited_end_ = live;
  awaited_until_ = awaited_ == awaited_end_ ? kNever : now + kPreludeStall;
}

// What of the prelude is passed by a later part of it is missing, like any gap.
void RepairReceiver::advance_awaited(std::uint32_t until, Time now) {
  for (; awaited_ != until; ++awaited_) {
    auto& one = entry(awaited_);
    if (one.state != State::kAwaited) {
      continue;
    }
    miss(one, kMostDelay, now);
  }
}

void RepairReceiver::deliver(std::uint32_t sequence, Bytes payload, Time now, Sink& sink) {
  auto& own = entry(sequence);
  std::optional<HoldPool::Slot> slot;
  while (sequence != base_ && !(slot = pool_.put(payload))) {
    give_up_front(sequence, now, sink);  // the pool is full, or the payload too long for it
  }
  own.when = now;
  if (slot) {
    own.state = State::kHeld;
    own.slot = *slot;
    own.size = static_cast<std::uint16_t>(payload.size());
    return;
  }
  own.state = State::kDone;
  ++base_;
  sink.release(payload);
  drain(now, sink);
}

void RepairReceiver::forget_missing(const Entry& found) {
  --missing_;
  outstanding_ -= found.asks > 0 ? 1 : 0;
}

void RepairReceiver::give_up_front(std::uint32_t until, Time now, Sink& sink) {
  while (base_ != until && entry(base_).state != State::kHeld) {
    auto& one = entry(base_);
    if (one.state == State::kMissing) {
      forget_missing(one);
      ++counters_.lost;
    } else if (one.state == State::kAwaited) {
      awaited_ = base_ + 1;
      awaited_until_ = awaited_ == awaited_end_ ? kNever : awaited_until_;
      ++counters_.lost;
    }
    one.state = State::kLost;
    ++base_;
  }
  drain(now, sink);
}

void RepairReceiver::drain(Time now, Sink& sink) {
  for (; base_ != end_; ++base_) {
    auto& one = entry(base_);
    if (one.state == State::kHeld) {
      longest_hold_ = std::max(longest_hold_, now - one.when);
      one.state = State::kDone;
      sink.release(pool_.get(one.slot, one.size));
      pool_.release(one.slot);
    } else if (one.state != State::kLost) {
      return;
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

void RepairReceiver::on_deadline(Time now, Sink& sink) {
  if (awaited_until_ <= now) {
    advance_awaited(awaited_end_, now);  // it has stalled: ask for the rest
    awaited_until_ = kNever;
  }
  while (base_ != end_ && entry(base_).state == State::kMissing && give_up_at(entry(base_)) <= now) {
    give_up_front(end_, now, sink);
  }
}

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

Duration RepairReceiver::take_longest_hold() { return std::exchange(longest_hold_, Duration{}); }

}  // namespace hearthcast::tunnel
