#include "tunnelmgr/tunnel/repair_receiver.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::tunnel {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kHalf = 0x80000000U;  // of the number space: what is farther is behind
constexpr std::uint32_t kMostAhead = RepairReceiver::kWindow / 2;  // a longer gap begins anew
constexpr std::uint32_t kLossEventsOfAGap = 16;  // an outage says little about the loss of other times
constexpr int kRestartRun = 4;  // so many in a row far behind are no stragglers, but a sender begun anew
constexpr Duration kLongestInterval = milliseconds{100};
constexpr Duration kPreludeStall = milliseconds{300};

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
      if (before(sequence, base_)) {
        found.state = State::kDone;  // only the first late copy is news
        found.asks = 0;
        ++counters_.late;
        return Arrival::kDuplicate;
      }
      --counters_.lost;  // given up with a long gap, behind an earlier one that is waited for yet
      ++counters_.reordered;
      break;
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
    } else if (one.state == State::kLost) {
      --counters_.lost;
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

void RepairReceiver::on_deadline(Time now, Sink& sink) {
  if (awaited_until_ <= now) {
    advance_awaited(awaited_end_, now);  // it has stalled: ask for the rest
    awaited_until_ = kNever;
  }
  while (base_ != end_ && entry(base_).state == State::kMissing && give_up_at(entry(base_)) <= now) {
    give_up_front(end_, now, sink);
  }
}

Duration RepairReceiver::take_longest_hold() { return std::exchange(longest_hold_, Duration{}); }

}  // namespace hearthcast::tunnel
