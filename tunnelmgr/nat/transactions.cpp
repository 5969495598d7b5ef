#include "tunnelmgr/nat/transactions.hpp"

#include <algorithm>

namespace hearthcast::nat {

TransactionId Transactions::open(const Endpoint& to, bool controlling, bool nominating, Time now,
                                 Random& random) {
  if (open_.size() == kMost) {
    open_.pop_front();
  }
  Transaction& t = open_.emplace_back();
  random.fill(t.id);
  t.to = to;
  t.sent = now;
  t.controlling = controlling;
  t.nominating = nominating;
  return t.id;
}

bool Transactions::holds(const TransactionId& id) const {
  return std::ranges::any_of(open_, [&](const Transaction& t) { return t.id == id; });
}

std::optional<Transaction> Transactions::close(const TransactionId& id, const Endpoint& from) {
  const auto found =
      std::ranges::find_if(open_, [&](const Transaction& t) { return t.id == id && t.to == from; });
  if (found == open_.end()) {
    return std::nullopt;
  }
  const Transaction transaction = *found;
  open_.erase(found);
  return transaction;
}

void Transactions::forget(const Endpoint& to) {
  std::erase_if(open_, [&](const Transaction& t) { return t.to == to; });
}

}  // namespace hearthcast::nat
