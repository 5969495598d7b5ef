#include "tunnelmgr/membership/querier.hpp"

#include <algorithm>

namespace hearthcast::membership {

Querier::Querier(Timing configured, std::optional<IpAddress> own_address, Time now)
    : configured_(std::move(configured)), timing_(configured_), own_(own_address) {
  if (own_) {
    begin(now);
  }
}

void Querier::begin(Time now) {
  role_ = QuerierRole::kSelf;
  timing_ = configured_;
  other_.reset();
  other_until_ = kNever;
  startup_queries_left_ = timing_.startup_query_count();
  next_query_ = now;
  answered_ = true;
  listeners_known_at_ =
      now + startup_queries_left_ * timing_.startup_query_interval() + timing_.query_response_interval;
}

void Querier::be_silent() {
  role_ = QuerierRole::kSilent;
  other_.reset();
  other_until_ = kNever;
  next_query_ = kNever;
  listeners_known_at_ = kNever;
}

void Querier::on_address(std::optional<IpAddress> own_address, Time now) {
  if (own_address == own_) {
    return;
  }
  own_ = own_address;
  if (!up_) {
    return;
  }
  if (role_ == QuerierRole::kOther) {
    // Its claim stands, unless the new address is the lower one.
    if (own_ && *own_ < *other_) {
      begin(now);
    }
    return;
  }
  if (own_) {
    begin(now);
  } else {
    be_silent();
  }
}

void Querier::on_link(bool up, Time now) {
  if (up == up_) {
    return;
  }
  up_ = up;
  if (up_ && own_) {
    begin(now);
  } else {
    be_silent();
  }
}

void Querier::on_timing(Timing configured, bool tell, Time now) {
  if (configured == configured_ && !tell) {
    return;
  }
  configured_ = std::move(configured);
  if (role_ != QuerierRole::kOther) {
    timing_ = configured_;
  }
  if (role_ == QuerierRole::kSelf) {
    next_query_ = now;  // tells everybody the new values
  }
}

void Querier::on_query(const IpAddress& source, const wire::MembershipQuery& query, Time now) {
  if (!up_ || (own_ && !(source < *own_))) {
    return;
  }
  if (role_ != QuerierRole::kOther || query.group.is_unspecified()) {
    other_asked_ = now;
  }
  role_ = QuerierRole::kOther;
  next_query_ = kNever;
  listeners_known_at_ = kNever;
  other_ = source;
  other_version_ = query.version;
  adopt(query);
  other_until_ = now + timing_.other_querier_present_timeout();
}

// RFC 3810 sections 5.1.8, 5.1.9; 0 tells nothing, and so do the older versions.
void Querier::adopt(const wire::MembershipQuery& query) {
  timing_.robustness = query.robustness > 0 ? query.robustness : configured_.robustness;
  timing_.query_interval =
      query.query_interval.count() > 0 ? query.query_interval : configured_.query_interval;
  if (query.group.is_unspecified() && query.max_response.count() > 0) {
    timing_.query_response_interval = query.max_response;
  }
}

void Querier::ask_if_quiet(bool wanted, Time now) {
  if (role_ == QuerierRole::kSelf && is_quiet(wanted)) {
    asked_for_ = true;
    next_query_ = now;
  }
}

void Querier::on_wanted(Time now) {
  if (role_ == QuerierRole::kSelf && is_quiet(false)) {
    next_query_ = now + timing_.query_interval;
  }
}

bool Querier::other_is_overdue(Time now) const {
  return role_ == QuerierRole::kOther &&
         now > other_asked_ + timing_.query_interval + timing_.query_response_interval;
}

bool Querier::on_deadline(bool wanted, Time now) {
  if (role_ == QuerierRole::kOther && other_until_ <= now) {
    if (!own_) {
      be_silent();
      return false;
    }
    begin(now);
    startup_queries_left_ = 0;  // the link is not new, only the querier
  }
  if (role_ != QuerierRole::kSelf) {
    return false;
  }
  if (next_query_ <= now && !is_quiet(wanted)) {
    startup_queries_left_ -= startup_queries_left_ > 0 ? 1 : 0;
    asked_for_ = false;
    last_query_ = now;
    next_query_ = now + (startup_queries_left_ > 0 ? timing_.startup_query_interval()
                                                   : std::chrono::milliseconds(timing_.query_interval));
    repeats_ = 0;
    answered_ = false;
    return true;
  }
  bool due = false;
  while (repeats_left(wanted) && last_query_ + timing_.query_repeats[repeats_] <= now) {
    ++repeats_;  // a late timer repeats once, not for each time that it missed
    due = true;
  }
  return due;
}

bool Querier::repeats_left(bool wanted) const {
  return wanted && !answered_ && repeats_ < timing_.query_repeats.size();
}

Time Querier::next_deadline(bool wanted) const {
  switch (role_) {
    case QuerierRole::kSilent:
      return kNever;
    case QuerierRole::kOther:
      return other_until_;
    case QuerierRole::kSelf:
      break;
  }
  if (is_quiet(wanted)) {
    return kNever;
  }
  return repeats_left(wanted) ? std::min<Time>(next_query_, last_query_ + timing_.query_repeats[repeats_])
                              : next_query_;
}

std::optional<IpAddress> Querier::address() const {
  switch (role_) {
    case QuerierRole::kSelf:
      return own_;
    case QuerierRole::kOther:
      return other_;
    case QuerierRole::kSilent:
      break;
  }
  return std::nullopt;
}

}  // namespace hearthcast::membership
