// The agent's clockwork: when which pair is checked, which is selected, when consent is lost.
#include <algorithm>
#include <iterator>
#include <utility>

#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/nat/check.hpp"
#include "tunnelmgr/nat/jitter.hpp"

namespace hearthcast::nat {

Actions Agent::on_deadline(Time now) {
  Actions out;
  expire_consent(now, out);
  // The selected path is a conversation of its own; the others share one slot every Ta.
  if (Pair* pair = selected_ ? find(*selected_) : nullptr; pair != nullptr && pair->next_check <= now) {
    check(*pair, now, out);
  }
  Pair* next = nullptr;
  for (Pair& pair : pairs_) {
    if (pair.next_check <= now && pair.remote.endpoint != selected_ &&
        (next == nullptr || pair.goes_before(*next))) {
      next = &pair;
    }
  }
  if (next != nullptr && now >= next_slot_) {
    check(*next, now, out);
    next_slot_ = now + timing_.pacing;
  }
  reconsider(now, out);
  return out;
}

Time Agent::next_deadline() const {
  Time next = nominate_at_;
  for (const Pair& pair : pairs_) {
    if (pair.next_check != kNever) {
      const bool paced = pair.remote.endpoint != selected_;
      next = std::min(next, paced ? std::max(pair.next_check, next_slot_) : pair.next_check);
    }
    if (pair.remote.endpoint == selected_ && pair.answered) {
      next = std::min(next, *pair.answered + timing_.consent_expiry);
    }
  }
  return next;
}

Actions Agent::on_silence(Time now) {
  Actions out;
  doubt(now, out);
  auto more = on_deadline(now);
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

Actions Agent::on_network_change(Time now) {
  Actions out;
  if (role_ == Role::kControlling) {
    activate_all(now);
  } else if (Pair* pair = last_ ? find(*last_) : nullptr) {
    pair->next_check = now;  // opens the filter of a new NAT
  }
  if (Pair* pair = selected_ ? find(*selected_) : nullptr) {
    pair->unanswered = 0;  // what was sent by the former network says nothing of this one
    if (!doubted_) {
      doubt(now, out);
    } else {
      trigger(*pair, now, out);
    }
  }
  auto more = on_deadline(now);
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

Actions Agent::set_idle(bool idle, Time now) {
  Actions out;
  Pair* pair = selected_ ? find(*selected_) : nullptr;
  if (std::exchange(idle_, idle) == idle || pair == nullptr) {
    return out;
  }
  const bool in_peace = !doubted_ && pair->unanswered == 0;
  if (in_peace) {
    pair->next_check = std::max(now, *pair->answered + until_next_check());
  }
  if (idle || role_ == Role::kControlled) {
    return on_deadline(now);
  }
  for (Pair& other : pairs_) {  // what has rested since
    if (other.next_check == kNever && (other.told || other.answered) && !rests(other, now)) {
      other.back_off = Duration::zero();
      other.next_check = now;
    }
  }
  if (*pair->answered + timing_.consent_interval <= now) {
    doubt(now, out);
  }
  auto more = on_deadline(now);
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

void Agent::doubt(Time now, Actions& out) {
  if (Pair* pair = selected_ ? find(*selected_) : nullptr) {
    pair->active_until = std::max(pair->active_until, now + 4 * timing_.rto);
    if (!std::exchange(doubted_, true) || !pair->sent || *pair->sent + hurry() <= now) {
      trigger(*pair, now, out);
    } else {  // an answer to the last check may be on its way
      pair->next_check = std::min(pair->next_check, *pair->sent + hurry());
    }
    reconsider(now, out);
  }
}

// What is known of the others is from before, so only those count that have answered since it was doubted: in
// the time of its checks but the last.
void Agent::suspect(Time now, Actions& out) {
  suspected_since_ = std::exchange(doubted_, true) ? now - (timing_.suspect_after - 1) * hurry() : now;
  for (Pair& other : pairs_) {
    if (other.remote.endpoint != selected_) {
      activate(other, now);
    }
  }
  out.push_back(PathSuspected{});
}

// Twice the round trip, so that what is on its way comes first.
Duration Agent::hurry() const {
  return std::clamp(2 * round_trip_.value_or(timing_.rto), 2 * timing_.pacing, timing_.rto);
}

bool Agent::is_healthy(const Pair& pair, Time now) const {
  return pair.proven(now, timing_.consent_expiry) && pair.unanswered < timing_.suspect_after &&
         (!suspected_since_ || *pair.answered >= *suspected_since_);
}

Actions Agent::lurk(const Endpoint& last, Time now) {
  last_ = last;
  lurk_until_ = now + timing_.lurk_for;
  if (Pair* pair = add({.type = CandidateType::kPeerReflexive, .endpoint = last},
                       priority(CandidateType::kPeerReflexive, last.address.family()), now)) {
    pair->next_check = now;
  }
  return on_deadline(now);
}

void Agent::set_lurking(bool needed, Time now) {
  if (std::exchange(lurking_, needed) != needed && needed && last_) {
    if (Pair* pair = find(*last_); pair != nullptr && lurks(*pair, now)) {
      pair->next_check = std::min(pair->next_check, now);
    }
  }
}

// Whom only a check of the peer's credentials names gets one check for each that comes: it may be a replayed
// one, and its source a victim.
void Agent::activate(Pair& pair, Time now) {
  if (!pair.told && !pair.answered && !lurks(pair, now)) {
    return;
  }
  pair.active_until = now + timing_.active;
  pair.back_off = Duration::zero();
  pair.next_check = now;
  pair.tried = false;
}

void Agent::activate_all(Time now) {
  for (Pair& pair : pairs_) {
    activate(pair, now);
  }
}

// Until the path does not answer, or this pair is named again: then there is reason to look at it.
bool Agent::rests(const Pair& pair, Time now) const {
  const Pair* used = selected_ ? find(*selected_) : nullptr;
  if (used == nullptr || doubted_ || !is_healthy(*used, now)) {
    return false;
  }
  return idle_ || (pair.priority <= used->priority && !pair.proven(now, timing_.consent_expiry));
}

bool Agent::lurks(const Pair& pair, Time now) const {
  return lurking_ && last_ == pair.remote.endpoint && now < lurk_until_;
}

void Agent::trigger(Pair& pair, Time now, Actions& out) {
  if (pair.sent && now - *pair.sent < timing_.pacing) {
    pair.next_check = std::min(pair.next_check, *pair.sent + timing_.pacing);
  } else {
    check(pair, now, out);
  }
}

void Agent::check(Pair& pair, Time now, Actions& out) {
  const Endpoint& to = pair.remote.endpoint;
  const bool controlling = role_ == Role::kControlling;
  // Repeating the nomination on the selected path tells a controlled end that was restarted which path it is.
  const bool nominating = controlling && (to == nominating_ || to == selected_);
  const TransactionId id = transactions_.open(to, controlling, nominating, now, random_);
  out.push_back(SendDatagram{to, build_check({.id = id,
                                              .receiver = remote_,
                                              .sender_ufrag = local_.ufrag,
                                              .family = to.address.family(),
                                              .controlling = controlling,
                                              .tie_breaker = tie_breaker_,
                                              .nominating = nominating},
                                             crypto_)});
  pair.sent = now;
  pair.tried = true;
  ++pair.unanswered;
  ++counters_.checks_sent;
  pair.next_check = plan(pair, now);
  if (to == selected_ && pair.unanswered >= timing_.suspect_after && !suspected_since_) {
    suspect(now, out);
  }
}

Time Agent::plan(Pair& pair, Time now) {
  const bool controlling = role_ == Role::kControlling;
  if (doubted_ && pair.remote.endpoint == selected_ && pair.unanswered < timing_.suspect_after) {
    return now + hurry();
  }
  if (pair.remote.endpoint == nominating_ || now < pair.active_until) {
    return now + timing_.rto;
  }
  if (pair.remote.endpoint == selected_) {
    return now + timing_.consent_retry;
  }
  if (controlling && (pair.told || pair.answered)) {
    if (rests(pair, now)) {
      return kNever;
    }
    pair.back_off = pair.back_off == Duration::zero() ? timing_.back_off_first
                                                      : std::min(2 * pair.back_off, timing_.back_off_last);
    return now + jittered(pair.back_off, random_);
  }
  return lurks(pair, now) ? now + jittered(timing_.lurk_interval, random_) : kNever;
}

Time Agent::plan_answered(const Pair& pair) {
  if (pair.remote.endpoint == selected_) {
    return *pair.answered + until_next_check();
  }
  return role_ == Role::kControlling && !idle_ ? *pair.answered + jittered(timing_.better_path, random_)
                                               : kNever;
}

// RFC 7675 section 5.1 asks for no consent of an end that sends nothing. It is kept fresh all the same, at
// the pace of the NATs' patience, so that what is sent at last waits for no check.
Duration Agent::until_next_check() {
  if (!idle_) {
    return jittered(timing_.consent_interval, random_);
  }
  return role_ == Role::kControlling ? between(timing_.idle_least, timing_.idle_most, random_)
                                     : timing_.idle_patience;
}

void Agent::expire_consent(Time now, Actions& out) {
  const Pair* pair = selected_ ? find(*selected_) : nullptr;
  if (pair == nullptr || pair->proven(now, timing_.consent_expiry)) {
    return;
  }
  if (role_ == Role::kControlled) {  // its next_check stands: the checks just become rarer
    last_ = selected_;
    lurk_until_ = now + timing_.lurk_for;
  }
  selected_.reset();
  nominating_.reset();
  trust();
  out.push_back(PathLost{});
  if (role_ == Role::kControlling) {
    activate_all(now);
  }
}

void Agent::reconsider(Time now, Actions& out) {
  nominate_at_ = kNever;
  if (role_ == Role::kControlled) {
    return;
  }
  Pair* best = nullptr;
  for (Pair& pair : pairs_) {
    const bool healthy = is_healthy(pair, now);
    if (healthy && (best == nullptr || pair.priority > best->priority)) {
      best = &pair;
    }
    if (!healthy && pair.remote.endpoint == nominating_) {
      nominating_.reset();
    }
  }
  if (best == nullptr || best->remote.endpoint == selected_ || best->remote.endpoint == nominating_) {
    return;
  }
  const bool better_untried = std::ranges::any_of(
      pairs_, [&](const Pair& pair) { return pair.priority > best->priority && now < pair.active_until; });
  const Time ready = *best->answered + timing_.nomination_wait;
  if (selected_ || nominating_ || !better_untried || now >= ready) {
    nominating_ = best->remote.endpoint;
    out.push_back(PathNominated{*nominating_});
    check(*best, now, out);
  } else {
    nominate_at_ = ready;
  }
}

void Agent::select(Pair& pair, Time now, Actions& out) {
  nominating_.reset();
  pair.peer_nominated = false;
  if (selected_ == pair.remote.endpoint) {
    return;
  }
  selected_ = pair.remote.endpoint;
  trust();
  last_.reset();
  pair.active_until = now;
  pair.next_check = now + jittered(timing_.consent_interval, random_);
  out.push_back(PathSelected{*selected_, pair.remote.type});
}

}  // namespace hearthcast::nat
