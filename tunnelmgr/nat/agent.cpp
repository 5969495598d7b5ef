// The agent's ears: candidates, checks that come in, answers to its own.
#include "tunnelmgr/nat/agent.hpp"

#include <algorithm>
#include <array>

#include "tunnelmgr/nat/check.hpp"
#include "tunnelmgr/nat/jitter.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::nat {
namespace {

constexpr std::uint16_t kUnknownAttribute = 420;
constexpr std::uint16_t kRoleConflict = 487;

}  // namespace

Agent::Agent(Role role, Credentials local, Credentials remote, const Crypto& crypto, Random& random,
             Timing timing)
    : role_(role),
      local_(std::move(local)),
      remote_(std::move(remote)),
      crypto_(crypto),
      random_(random),
      timing_(timing) {
  std::array<std::uint8_t, 8> octets{};
  random_.fill(octets);
  tie_breaker_ = Reader(octets).u64();
}

Pair* Agent::find(const Endpoint& remote) {
  const auto found =
      std::ranges::find_if(pairs_, [&](const Pair& pair) { return pair.remote.endpoint == remote; });
  return found == pairs_.end() ? nullptr : &*found;
}

const Pair* Agent::find(const Endpoint& remote) const { return const_cast<Agent*>(this)->find(remote); }

// The pair that is missed least: of those that prove nothing any more the one of which there was no news for
// longest. A peer that roams for months must always find room, and who was just named not lose it again.
std::vector<Pair>::iterator Agent::spare(Time now) {
  auto found = pairs_.end();
  for (auto at = pairs_.begin(); at != pairs_.end(); ++at) {
    const Endpoint& e = at->remote.endpoint;
    const bool needed =
        at->proven(now, timing_.consent_expiry) || e == selected_ || e == nominating_ || e == last_;
    if (!needed && (found == pairs_.end() || at->news() < found->news())) {
      found = at;
    }
  }
  return found;
}

Pair* Agent::add(const Candidate& candidate, std::uint32_t priority, Time now) {
  if (Pair* known = find(candidate.endpoint)) {
    return known;
  }
  if (pairs_.size() == kMaxPairs) {
    const auto spare = this->spare(now);
    if (spare == pairs_.end()) {
      return nullptr;
    }
    transactions_.forget(spare->remote.endpoint);
    pairs_.erase(spare);
  }
  Pair& pair = pairs_.emplace_back();
  pair.remote = candidate;
  pair.priority = priority;
  return &pair;
}

Actions Agent::on_candidates(const std::vector<Candidate>& candidates, Time now) {
  for (const Candidate& candidate : candidates) {
    Pair* pair = add(candidate, priority(candidate.type, candidate.endpoint.address.family()), now);
    if (pair != nullptr) {
      pair->told = true;
      pair->named = now;
      if (candidate.type == CandidateType::kRelayed && pair->remote.type == CandidateType::kPeerReflexive) {
        pair->remote.type = candidate.type;  // its check was here before its name
        pair->priority =
            std::min(pair->priority, priority(candidate.type, candidate.endpoint.address.family()));
      }
      if (candidate.endpoint != selected_) {
        activate(*pair, now);
      }
    }
  }
  return on_deadline(now);
}

Actions Agent::on_stun(const Endpoint& from, Bytes datagram, Time now) {
  const auto message = wire::decode_stun(datagram);
  return message ? on_stun(from, datagram, *message, now) : Actions{};
}

Actions Agent::on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& message, Time now) {
  Actions out;
  if (message.method != wire::kStunBinding) {
    return out;
  }
  switch (message.message_class) {
    case wire::StunClass::kRequest:
      if (message.username != local_.ufrag + ":" + remote_.ufrag) {
        ++counters_.bad_username;
      } else if (!wire::check_integrity(datagram, crypto_, as_bytes(local_.password))) {
        ++counters_.bad_integrity;
      } else {
        on_request(from, message, now, out);
      }
      break;
    case wire::StunClass::kSuccess:
    case wire::StunClass::kError:
      if (!expects(message.transaction)) {
        ++counters_.unexpected_answers;
      } else if (!wire::check_integrity(datagram, crypto_, as_bytes(remote_.password))) {
        ++counters_.bad_integrity;
      } else {
        on_answer(from, message, now, out);
      }
      break;
    case wire::StunClass::kIndication:
      break;  // a keepalive of another implementation: nothing to do
  }
  return out;
}

void Agent::on_request(const Endpoint& from, const wire::StunMessage& request, Time now, Actions& out) {
  if (!request.not_understood.empty()) {
    out.push_back(SendDatagram{from, build_refusal(request, kUnknownAttribute, local_.password, crypto_)});
    return;
  }
  if (!settle_role(request, from, out)) {
    return;
  }
  ++counters_.checks_answered;
  out.push_back(SendDatagram{from, build_answer(request.transaction, from, local_.password, crypto_)});

  const bool relayed = wire::channel_of(from).has_value();
  const CandidateType type = relayed ? CandidateType::kRelayed : CandidateType::kPeerReflexive;
  const std::uint32_t own = priority(type, from.address.family());
  Pair* pair = add({type, from}, relayed ? own : request.priority.value_or(own), now);
  if (pair == nullptr) {
    return;
  }
  // A request proves that the peer speaks, not that it is where the packet says: that takes an answer to a
  // check of ours, one check for each request, so that a replayed request is hardly amplified.
  const bool fresh = pair->proven(now, timing_.consent_expiry / 3) && pair->unanswered < 2;
  if (request.use_candidate && role_ == Role::kControlled) {
    if (pair->proven(now, timing_.consent_expiry)) {
      select(*pair, now, out);
    } else {
      pair->peer_nominated = true;
    }
  }
  // Where nothing is urgent a check that may still be answered is enough: on a path that reorders, this
  // request has often overtaken the answer.
  const bool under_way = idle_ && from == selected_ && pair->sent && now - *pair->sent < timing_.rto;
  if (!fresh && !under_way) {
    trigger(*pair, now, out);
  }
  if (from == selected_) {
    note_asked(*pair, request, now, out);
  }
}

// What a check on the path in use says of the peer beside that it is there.
void Agent::note_asked(Pair& pair, const wire::StunMessage& request, Time now, Actions& out) {
  const auto& tie_breaker = request.ice_controlling ? request.ice_controlling : request.ice_controlled;
  if (tie_breaker) {
    if (peer_tie_breaker_ && peer_tie_breaker_ != tie_breaker) {
      out.push_back(PeerRestarted{});
    }
    peer_tie_breaker_ = tie_breaker;
  }
  // One that checks often needs the path for something: so does this end, while that lasts. The other end
  // does not follow in turn, or they would never rest again.
  const bool often = last_asked_ && now - *last_asked_ < timing_.idle_least / 2;
  last_asked_ = now;
  if (idle_ && often && role_ == Role::kControlled && pair.unanswered == 0) {
    const Time soon = *pair.answered + jittered(timing_.consent_interval, random_);
    pair.next_check = std::min(pair.next_check, std::max(now, soon));
  }
}

// RFC 8445 section 7.3.1.1. False when the request was refused.
bool Agent::settle_role(const wire::StunMessage& request, const Endpoint& from, Actions& out) {
  const bool controlling = role_ == Role::kControlling;
  const auto& theirs = controlling ? request.ice_controlling : request.ice_controlled;
  if (!theirs) {
    return true;
  }
  ++counters_.role_conflicts;
  if ((tie_breaker_ >= *theirs) == controlling) {
    out.push_back(SendDatagram{from, build_refusal(request, kRoleConflict, local_.password, crypto_)});
    return false;
  }
  role_ = controlling ? Role::kControlled : Role::kControlling;
  return true;
}

void Agent::on_answer(const Endpoint& from, const wire::StunMessage& answer, Time now, Actions& out) {
  const auto transaction = transactions_.close(answer.transaction, from);
  Pair* pair = transaction ? find(from) : nullptr;
  if (pair == nullptr) {
    ++counters_.unexpected_answers;
    return;
  }
  if (answer.message_class == wire::StunClass::kError) {
    const bool still_that_role = transaction->controlling == (role_ == Role::kControlling);
    if (answer.error && answer.error->code == kRoleConflict && still_that_role) {
      ++counters_.role_conflicts;
      role_ = transaction->controlling ? Role::kControlled : Role::kControlling;
      check(*pair, now, out);
    }
    return;
  }
  const bool news = !pair->proven(now, timing_.consent_expiry);
  pair->answered = now;
  pair->unanswered = 0;
  pair->back_off = Duration::zero();
  if (news) {
    out.push_back(EndpointProven{from});
  }
  const bool nominated =
      role_ == Role::kControlled ? pair->peer_nominated : transaction->nominating && nominating_ == from;
  if (nominated) {
    select(*pair, now, out);
  }
  if (selected_ == from) {
    round_trip_ = now - transaction->sent;
    pair->active_until = now;
    if (doubted_) {
      trust();
      out.push_back(PathConfirmed{});
    }
  }
  pair->next_check = plan_answered(*pair);
  reconsider(now, out);
}

std::optional<CandidateType> Agent::selected_type() const {
  const Pair* pair = selected_ ? find(*selected_) : nullptr;
  return pair == nullptr ? std::nullopt : std::optional(pair->remote.type);
}

bool Agent::is_proven(const Endpoint& endpoint, Time now) const {
  const Pair* pair = find(endpoint);
  return pair != nullptr && pair->proven(now, timing_.consent_expiry);
}

}  // namespace hearthcast::nat
