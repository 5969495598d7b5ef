// One candidate pair of an agent: the shared socket and one remote endpoint.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/nat/candidate.hpp"

namespace hearthcast::nat {

struct Pair {
  Candidate remote;
  std::uint32_t priority = 0;  // of the remote candidate
  bool told = false;           // a candidate that somebody named; else learned from a check
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
};

}  // namespace hearthcast::nat
