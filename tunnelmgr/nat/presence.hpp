// Presence at the rendezvous over UDP: a STUN Binding request from the data socket every 20 s (jittered),
// which keeps the NAT's mapping open and lets the rendezvous and this end see it; every second while somebody
// would miss the mapping at once. Requests are authenticated
// and padded, so that the answer is never larger. Wire form: docs/protocol/introduction.md. No I/O; not
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/base/token_bucket.hpp"
#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/nat/transactions.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::nat {

struct PresenceAccount {  // what the rendezvous gave in its welcome
  Endpoint server;
  std::string username;
  std::string password;
  Duration interval = std::chrono::seconds{20};
};

struct MappingChanged {  // also on first sight
  Endpoint mapped;
};
// A device looks for this box, which the rendezvous knows by UDP alone. A hint that nobody signed.
struct Knocked {
  IdentityId device;
  std::vector<Endpoint> at;  // where it was seen, then where it says that it is behind relays
};
struct PresenceLost {
};  // kUnansweredLimit requests in a row had no answer: UDP to the rendezvous does not work

using PresenceAction = std::variant<SendDatagram, MappingChanged, Knocked, PresenceLost>;
using PresenceActions = std::vector<PresenceAction>;

class Presence {
 public:
  static constexpr int kUnansweredLimit = 4;
  static constexpr Duration kBusyInterval = std::chrono::milliseconds{500};  // jittered
  static constexpr double kMostKnocks = 12;                                  // a minute
  static constexpr Duration kBusyUnheard = std::chrono::seconds{5};          // after kUnansweredLimit

  Presence(const Crypto& crypto, Random& random) : crypto_(crypto), random_(random) {}

  // A new welcome replaces the old account. The known mapping stays until an answer says otherwise.
  [[nodiscard]] PresenceActions start(PresenceAccount account, Time now);
  void stop();

  [[nodiscard]] PresenceActions on_stun(const Endpoint& from, Bytes datagram,
                                        const wire::StunMessage& decoded, Time now);
  // A request of the rendezvous itself. All are answered; kMostKnocks a minute mean something.
  [[nodiscard]] bool is_knock(const Endpoint& from, const wire::StunMessage& decoded) const;
  [[nodiscard]] PresenceActions on_knock(Bytes datagram, const wire::StunMessage& decoded, Time now);
  [[nodiscard]] PresenceActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const { return next_; }
  // Busy: streams run by way of the mapping, so a change is worth knowing at once.
  void set_busy(bool busy, Time now);
  // An address of this end changed, or may have: ask at once.
  [[nodiscard]] PresenceActions on_network_change(Time now);

  [[nodiscard]] bool expects(const TransactionId& id) const { return transactions_.holds(id); }
  [[nodiscard]] const std::optional<Endpoint>& mapped() const { return mapped_; }
  [[nodiscard]] std::uint64_t bad_answers() const { return bad_answers_; }

 private:
  void ask(Time now, PresenceActions& out);
  [[nodiscard]] Duration interval() const { return busy_ ? kBusyInterval : account_->interval; }

  const Crypto& crypto_;
  Random& random_;
  std::optional<PresenceAccount> account_;
  Transactions transactions_;
  std::optional<Endpoint> mapped_;
  int unanswered_ = 0;
  bool busy_ = false;
  Time next_ = kNever;
  TokenBucket knocks_{kMostKnocks, kMostKnocks / 60};
  std::uint64_t bad_answers_ = 0;
};

}  // namespace hearthcast::nat
