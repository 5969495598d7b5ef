// The ICE agent for one peer over the one shared socket (RFC 8445, consent: RFC 7675): finds a path, keeps
// it, looks for a better one, and never gives up. No I/O: it is given datagrams and the time, and returns
// what to do. Not thread-safe. Bad input is counted and has no effect.
//
// A peer behind this end's relay has an endpoint of wire/channel_endpoint.hpp: its owner puts datagrams for
// such a one on the relay, and the agent prefers every path without.
//
// The controlling end (away) nominates and tries its candidates for ever with back-off; those that would be
// no better than a path that answers rest meanwhile, and all of them while nothing travels by it (set_idle).
// The controlled end (box) answers, proves by a check of its own every endpoint that a valid check came from,
// and selects what the peer nominated once it is proven. It also lurks: see Timing::lurk_interval.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/nat/candidate.hpp"
#include "tunnelmgr/nat/credentials.hpp"
#include "tunnelmgr/nat/pair.hpp"
#include "tunnelmgr/nat/timing.hpp"
#include "tunnelmgr/nat/transactions.hpp"
#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::nat {

enum class Role : std::uint8_t { kControlling, kControlled };

struct SendDatagram {
  Endpoint to;
  Buffer bytes;
};
// The endpoint answered an authenticated challenge just now: handshakes from it may be taken.
struct EndpointProven {
  Endpoint remote;
};
// The controlling end is about to nominate it: the peer may send by it before PathSelected comes.
struct PathNominated {
  Endpoint remote;
};
// Use this endpoint from now on: the first path, or a change of path.
struct PathSelected {
  Endpoint remote;
  CandidateType type = CandidateType::kHost;
};
struct PathLost {};  // consent expired
// The selected path answers no more: it is still used, but another one is looked for. Once, until it is
// confirmed, another one is selected, or it is lost.
struct PathSuspected {};
// After on_silence(), on_network_change() or PathSuspected: the selected path answers.
struct PathConfirmed {};
// A check came by the selected path with another tie-breaker than before: the peer's program has begun anew,
// and knows nothing of what was agreed on.
struct PeerRestarted {};

using Action = std::variant<SendDatagram, EndpointProven, PathNominated, PathSelected, PathLost,
                            PathSuspected, PathConfirmed, PeerRestarted>;
using Actions = std::vector<Action>;

struct AgentCounters {
  std::uint64_t checks_sent = 0;
  std::uint64_t checks_answered = 0;
  std::uint64_t bad_username = 0;
  std::uint64_t bad_integrity = 0;
  std::uint64_t unexpected_answers = 0;  // no such transaction, or from another endpoint
  std::uint64_t role_conflicts = 0;
};

class Agent {
 public:
  static constexpr std::size_t kMaxPairs = 32;

  // Crypto and random must outlive the agent.
  Agent(Role role, Credentials local, Credentials remote, const Crypto& crypto, Random& random,
        Timing timing = {});

  // Adds candidates, and tries those already known afresh. Whoever got them from a peer filters them first
  // (candidate.hpp, acceptable()); beyond kMaxPairs the oldest unproven ones give way.
  [[nodiscard]] Actions on_candidates(const std::vector<Candidate>& candidates, Time now);
  // A STUN message that is for this agent (responder.hpp finds the agent at the box).
  [[nodiscard]] Actions on_stun(const Endpoint& from, Bytes datagram, Time now);
  [[nodiscard]] Actions on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& decoded,
                                Time now);
  [[nodiscard]] Actions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // No data came where data is expected: checks the path at once and in quick succession, and looks for
  // others if it does not answer.
  [[nodiscard]] Actions on_silence(Time now);
  // An interface or address of this end changed: the path is doubted, too, and the controlling end tries
  // everything afresh.
  [[nodiscard]] Actions on_network_change(Time now);
  // Nothing travels by the path, and nobody waits for it: it is checked just often enough for NATs and for
  // consent, other pairs not at all. Not any more: a path that was not checked lately is doubted at once, so
  // that the check goes out with what is about to be sent. At first an agent is not idle.
  [[nodiscard]] Actions set_idle(bool idle, Time now);
  // Controlled: the peer was last seen there, in a former run of this program. Keeps the filter of its NAT
  // open.
  [[nodiscard]] Actions lurk(const Endpoint& last, Time now);
  // Controlled: whether there is need to (at first there is). A device that the rendezvous can introduce
  // opens the filter by that, and a box with many devices would have much to say.
  void set_lurking(bool needed, Time now);

  [[nodiscard]] const std::optional<Endpoint>& selected() const { return selected_; }
  [[nodiscard]] std::optional<CandidateType> selected_type() const;
  [[nodiscard]] bool suspects_path() const { return suspected_since_.has_value(); }
  [[nodiscard]] bool is_proven(const Endpoint& endpoint, Time now) const;
  [[nodiscard]] bool expects(const TransactionId& id) const { return transactions_.holds(id); }
  [[nodiscard]] std::optional<Duration> round_trip() const { return round_trip_; }
  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] const Credentials& local() const { return local_; }
  [[nodiscard]] const AgentCounters& counters() const { return counters_; }

 private:
  Pair* find(const Endpoint& remote);
  [[nodiscard]] const Pair* find(const Endpoint& remote) const;
  Pair* add(const Candidate& candidate, std::uint32_t priority, Time now);
  std::vector<Pair>::iterator spare(Time now);  // to give way to a new one
  void activate(Pair& pair, Time now);
  void activate_all(Time now);

  void on_request(const Endpoint& from, const wire::StunMessage& message, Time now, Actions& out);
  void on_answer(const Endpoint& from, const wire::StunMessage& message, Time now, Actions& out);
  bool settle_role(const wire::StunMessage& request, const Endpoint& from, Actions& out);
  void note_asked(Pair& pair, const wire::StunMessage& request, Time now, Actions& out);

  void check(Pair& pair, Time now, Actions& out);
  void trigger(Pair& pair, Time now, Actions& out);  // at once, but not twice within Ta
  [[nodiscard]] Time plan(Pair& pair, Time now);     // the next check, should this one stay unanswered
  [[nodiscard]] Time plan_answered(const Pair& pair);
  [[nodiscard]] Duration until_next_check();  // of the selected path, after an answer
  [[nodiscard]] bool lurks(const Pair& pair, Time now) const;
  [[nodiscard]] bool rests(const Pair& pair, Time now) const;  // it would be no better than the path in use
  void doubt(Time now, Actions& out);                          // the selected path
  void suspect(Time now, Actions& out);                        // it did not answer
  void trust() { doubted_ = false, suspected_since_.reset(); }
  [[nodiscard]] Duration hurry() const;  // between checks of a doubted path
  [[nodiscard]] bool is_healthy(const Pair& pair, Time now) const;
  void expire_consent(Time now, Actions& out);
  void reconsider(Time now, Actions& out);
  void select(Pair& pair, Time now, Actions& out);

  Role role_;
  Credentials local_;
  Credentials remote_;
  const Crypto& crypto_;
  Random& random_;
  Timing timing_;
  std::uint64_t tie_breaker_ = 0;

  std::vector<Pair> pairs_;
  Transactions transactions_;
  Time next_slot_{};  // ordinary checks keep the pacing; triggered ones and consent do not wait
  std::optional<Endpoint> selected_;
  std::optional<Endpoint> nominating_;
  bool idle_ = false;
  std::optional<Time> last_asked_;  // by the selected path, when last
  std::optional<std::uint64_t> peer_tie_breaker_;
  bool doubted_ = false;                 // the selected path has to answer
  std::optional<Time> suspected_since_;  // and does not
  Time nominate_at_ = kNever;
  std::optional<Endpoint> last_;  // where a controlled agent lurks
  Time lurk_until_{};
  bool lurking_ = true;
  std::optional<Duration> round_trip_;
  AgentCounters counters_;
};

}  // namespace hearthcast::nat
