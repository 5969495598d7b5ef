#include "tunnelmgr/tunnel/path_size.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hearthcast::tunnel {
namespace {

// What paths usually carry: tunnels, mobile networks, 6in4, PPPoE, Ethernet.
constexpr std::array<std::uint16_t, 8> kUsual{1280, 1360, 1400, 1428, 1460, 1480, 1492, 1500};
constexpr std::size_t kMaxOutstanding = 48;
constexpr Duration kLongestPatience = std::chrono::seconds{1};
constexpr int kSilence = 8;  // so many unanswered confirmations mean that nothing comes through at all

}  // namespace

const char* to_string(PathState state) {
  switch (state) {
    case PathState::kDisabled:
      return "disabled";
    case PathState::kBase:
      return "base";
    case PathState::kSearching:
      return "searching";
    case PathState::kComplete:
      return "complete";
    case PathState::kError:
      return "error";
  }
  return "";
}

PathActions PathSize::start(Family family, Time now) {
  PathActions out;
  const std::uint16_t before = size();
  base_ = base_of(family);
  state_ = PathState::kBase;
  confirmed_ = 0;
  ceiling_ = kLargest + 1;
  outstanding_.clear();
  raise_at_ = retry_at_ = kNever;
  next_confirmation_ = kNever;
  unconfirmed_ = 0;
  if (size() != before) {
    out.emplace_back(PathSizeChanged{size()});
  }
  usual_sizes(now, out);
  return out;
}

void PathSize::probe(std::uint16_t size, Time now, PathActions& out) {
  if (outstanding_.size() >= kMaxOutstanding) {
    outstanding_.erase(outstanding_.begin());
  }
  outstanding_.push_back({++last_nonce_, size, now});
  ++probes_;
  out.emplace_back(SendProbe{last_nonce_, size});
}

void PathSize::search(std::vector<std::uint16_t> sizes, Time now, PathActions& out) {
  round_ = std::move(sizes);
  tries_ = 1;
  round_end_ = now + timing_.probe;
  for (const std::uint16_t size : round_) {
    probe(size, now, out);
  }
}

// A round of the base, if it is not confirmed, and of usual sizes that are possible.
void PathSize::usual_sizes(Time now, PathActions& out) {
  std::vector<std::uint16_t> sizes;
  if (confirmed_ < base_) {
    sizes.push_back(base_);
  }
  for (const std::uint16_t size : kUsual) {
    if (size > std::max(confirmed_, base_) && size < ceiling_) {
      sizes.push_back(size);
    }
  }
  if (sizes.empty()) {
    next_round(now, out);
  } else {
    search(std::move(sizes), now, out);
  }
}

// Between what passes and what does not: three sizes at once, which leave a quarter.
void PathSize::next_round(Time now, PathActions& out) {
  state_ = PathState::kSearching;
  const int gap = ceiling_ - confirmed_;
  if (gap <= kStep) {
    complete(now, out);
    return;
  }
  std::vector<std::uint16_t> sizes;
  for (int quarter = 1; quarter <= 3; ++quarter) {
    sizes.push_back(static_cast<std::uint16_t>(confirmed_ + gap * quarter / 4));
  }
  if (ceiling_ > kLargest) {
    sizes.push_back(kLargest);
  }
  search(std::move(sizes), now, out);
}

void PathSize::complete(Time now, PathActions& out) {
  state_ = PathState::kComplete;
  round_.clear();
  round_end_ = kNever;
  raise_at_ = confirmed_ < kLargest ? now + timing_.raise : kNever;
  probe(confirmed_, now, out);  // tells the far end what was found
}

void PathSize::set_confirmed(std::uint16_t size, PathActions& out) {
  const std::uint16_t before = this->size();
  confirmed_ = size;
  if (this->size() != before) {
    out.emplace_back(PathSizeChanged{this->size()});
  }
}

Duration PathSize::patience() const {
  return std::clamp<Duration>(round_trip_ * 4, timing_.suspicion, kLongestPatience);
}

PathActions PathSize::on_answer(std::uint32_t nonce, std::uint16_t size, Time now) {
  PathActions out;
  const auto found = std::ranges::find(outstanding_, nonce, &Outstanding::nonce);
  if (state_ == PathState::kDisabled || found == outstanding_.end() || found->size != size) {
    return out;
  }
  const Duration sample = now - found->sent;
  round_trip_ = round_trip_ == Duration{} ? sample : (round_trip_ * 7 + sample) / 8;
  outstanding_.erase(found);
  base_heard_ = base_heard_ || size == base_;
  if (size >= confirmed_ && unconfirmed_ > 0) {
    unconfirmed_ = 0;
    next_confirmation_ = active_ ? now + timing_.confirm : kNever;
  }
  if (size <= confirmed_) {
    return out;
  }
  // A size that was given up passes after all when its answer was only late.
  ceiling_ = size >= ceiling_ ? static_cast<std::uint16_t>(kLargest + 1) : ceiling_;
  set_confirmed(size, out);
  if (active_ && next_confirmation_ == kNever) {
    next_confirmation_ = now + timing_.confirm;
  }
  if (state_ == PathState::kBase || state_ == PathState::kError) {
    state_ = PathState::kSearching;
    retry_at_ = kNever;
  }
  std::erase_if(round_, [&](std::uint16_t wanted) { return wanted <= size; });
  if (state_ != PathState::kComplete && round_.empty()) {
    next_round(now, out);
  }
  return out;
}

void PathSize::round_unanswered(Time now, PathActions& out) {
  if (tries_ < timing_.max_probes) {
    ++tries_;
    round_end_ = now + timing_.probe;
    for (const std::uint16_t size : round_) {
      probe(size, now, out);
    }
    return;
  }
  ceiling_ = round_.empty() ? ceiling_ : round_.front();
  round_.clear();
  round_end_ = kNever;
  if (confirmed_ < base_) {
    state_ = PathState::kError;
    retry_at_ = now + timing_.retry;
    return;
  }
  next_round(now, out);
}

// The size in use does not pass any more, or the system says so.
void PathSize::fall_to_base(Time now, PathActions& out) {
  set_confirmed(base_ < ceiling_ ? base_ : 0, out);
  unconfirmed_ = 0;
  next_confirmation_ = active_ ? now + timing_.confirm : kNever;
  raise_at_ = kNever;
  state_ = confirmed_ == 0 ? PathState::kBase : PathState::kSearching;
  usual_sizes(now, out);
}

void PathSize::confirm(Time now, PathActions& out) {
  if (confirmed_ <= base_) {  // below it there is nothing to fall to
    next_confirmation_ = now + timing_.confirm;
    return;
  }
  if (unconfirmed_ == 0) {
    base_heard_ = false;
  } else if (unconfirmed_ >= timing_.max_probes && base_heard_) {
    ++black_holes_;
    // It may have been bad luck: the size itself is tried again with the rest.
    ceiling_ = static_cast<std::uint16_t>(confirmed_ + 1);
    fall_to_base(now, out);
    return;
  } else {
    probe(base_, now, out);  // tells a path that has shrunk from one that is down
  }
  probe(confirmed_, now, out);
  ++unconfirmed_;
  next_confirmation_ = now + (unconfirmed_ > kSilence ? kLongestPatience : patience());
}

PathActions PathSize::on_too_big(std::uint16_t size, Time now) {
  PathActions out;
  if (state_ == PathState::kDisabled || size >= ceiling_) {
    return out;
  }
  ceiling_ = size;
  std::erase_if(round_, [&](std::uint16_t wanted) { return wanted >= size; });
  std::erase_if(outstanding_, [&](const Outstanding& sent) { return sent.size >= size; });
  if (confirmed_ >= size) {
    fall_to_base(now, out);
  } else if (state_ == PathState::kSearching && round_.empty()) {
    next_round(now, out);
  }
  return out;
}

PathActions PathSize::set_active(bool active, Time now) {
  PathActions out;
  if (std::exchange(active_, active) == active) {
    return out;
  }
  unconfirmed_ = 0;
  next_confirmation_ = kNever;
  if (active && state_ != PathState::kDisabled) {
    confirm(now, out);
  }
  return out;
}

PathActions PathSize::on_deadline(Time now) {
  PathActions out;
  if (next_confirmation_ <= now) {
    confirm(now, out);
  }
  if (round_end_ <= now) {
    round_unanswered(now, out);
  }
  if (retry_at_ <= now) {
    retry_at_ = kNever;
    ceiling_ = kLargest + 1;
    state_ = PathState::kBase;
    usual_sizes(now, out);
  }
  if (raise_at_ <= now && active_) {
    raise_at_ = kNever;
    ceiling_ = kLargest + 1;
    state_ = PathState::kSearching;
    usual_sizes(now, out);
  }
  return out;
}

Time PathSize::next_deadline() const {
  return std::min({next_confirmation_, round_end_, retry_at_, active_ ? raise_at_ : kNever});
}

}  // namespace hearthcast::tunnel
