// One candidate pair of an agent: the shared socket and one remote endpoint.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/nat/candidate.hpp"

namespace hearthcast::nat {

struct Pair {
  Candidate remote;
  std::uint32_t priority = 0;  // of the remote candidate
  bool told = false;           // a candidate that somebody named; else learned from a check
  Time named{};                // when last
  bool tried = false;          // since there was last a reason to look at it anew
  Time next_check = kNever;
  Time active_until{};           // checked at the rate of the RTO until then
  Duration back_off{};           // the wait that the last low-rate check was followed by; zero: not begun
  std::optional<Time> sent;      // the last check
  std::optional<Time> answered;  // the last authenticated answer from this endpoint
  int unanswered = 0;            // checks since then
  bool peer_nominated = false;   // controlled: USE-CANDIDATE came and the endpoint is not proven yet

  // An endpoint is proven while its last answer is younger than consent lasts.
  [[nodiscard]] bool proven(Time now, Duration consent_expiry) const {
    return answered && now - *answered < consent_expiry;
  }
  // When it was last named or heard: where the peer most likely is.
  [[nodiscard]] Time news() const { return std::max(named, answered.value_or(Time{})); }
  // Of several that are due: each once, the latest news first, so that a hint does not wait behind all the
  // places where the peer has been; then first come.
  [[nodiscard]] bool goes_before(const Pair& other) const {
    if (tried || other.tried) {
      return std::tuple(tried, next_check, other.priority) <
             std::tuple(other.tried, other.next_check, priority);
    }
    return std::tuple(news(), priority) > std::tuple(other.news(), other.priority);
  }
};

}  // namespace hearthcast::nat
