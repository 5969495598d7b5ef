// The STUN requests that still wait for an answer. Every check is a transaction of its own, also a repeated
// one, so a late answer is still told from an early one and the round trip is unambiguous.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::nat {

using wire::TransactionId;

struct Transaction {
  TransactionId id{};
  Endpoint to;
  Time sent;
  bool controlling = false;  // the role that the request claimed
  bool nominating = false;   // it carried USE-CANDIDATE
};

// Holds the newest kMost only: older ones were lost or are too late to mean anything.
class Transactions {
 public:
  static constexpr std::size_t kMost = 128;

  TransactionId open(const Endpoint& to, bool controlling, bool nominating, Time now, Random& random);
  [[nodiscard]] bool holds(const TransactionId& id) const;
  // Takes the transaction out when the answer comes from where the request went (RFC 8445 section 7.2.5.2.1).
  std::optional<Transaction> close(const TransactionId& id, const Endpoint& from);
  void forget(const Endpoint& to);

 private:
  std::deque<Transaction> open_;
};

}  // namespace hearthcast::nat
