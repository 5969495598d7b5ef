// Asks for introductions to the box through the rendezvous while there is no path or the path is doubted, and
// checks the answers: signed by the pinned key, for a nonce of ours, newer than the last. Pure. Source:
// docs/protocol/introduction.md.
//
// Not thread-safe. The caller stores Memory's freshness before it sends.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/away/state.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/nat/candidate.hpp"
#include "tunnelmgr/signalling/client.hpp"

namespace hearthcast::away {

class Introducer {
 public:
  // Endpoints in a minute that somebody unsigned named and that did not answer.
  static constexpr std::size_t kMostVainHints = 24;
  static constexpr std::chrono::seconds kToldTwice{5};  // the rendezvous and the box may tell the same move

  // All outlive it. box_public_key is the pinned one.
  Introducer(const Crypto& crypto, Random& random, const Identity& self, Buffer box_public_key);

  // What this client can be reached at.
  void set_candidates(std::vector<signalling::IntroducedCandidate> candidates, Time now);
  // The rendezvous knows us (again), or does not any more.
  void on_joined(bool joined, Time now);
  // Introductions are wanted while there is no path,
  void on_path(bool has_path, Time now);
  // or while it does not answer.
  void on_doubt(bool doubted, Time now);

  // Due at next_deadline(): the sealed introduction to send, or nothing. Raises memory.own, which must be
  // stored before it leaves.
  [[nodiscard]] std::optional<signalling::Sealed> on_deadline(Memory& memory, Time now);
  [[nodiscard]] Time next_deadline() const { return next_; }

  // Candidates to try, already filtered; empty with last_error() set when the answer is refused or worthless.
  // Raises memory.box.
  [[nodiscard]] std::vector<nat::Candidate> on_answer(const signalling::IntroductionAnswered& answer,
                                                      Memory& memory, Time now);
  // The rendezvous' hint where the box is now: candidates to try, filtered. Empty for another box, and when
  // all was told within kToldTwice. Unsigned, it must not aim this device at anybody for long: each endpoint
  // counts, until it is seen at a later hint that it was true, and beyond kMostVainHints none is taken.
  // answers: whether the box has lately answered a check there.
  [[nodiscard]] std::vector<nat::Candidate> on_moved(const signalling::BoxMoved& moved,
                                                     const std::function<bool(const Endpoint&)>& answers,
                                                     Time now);
  // Of the box, as its last answer told.
  [[nodiscard]] signalling::RelayPolicy relay_policy() const { return relay_policy_; }
  void on_failed(const signalling::RequestFailed& failed);
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  struct Hint {
    Time at;
    Endpoint endpoint;
    bool was_true = false;
  };
  void schedule(Duration after, Time now);

  const Crypto& crypto_;
  Random& random_;
  const Identity& self_;
  Buffer box_public_key_;
  IdentityId box_;
  signalling::PendingNonces nonces_;
  std::vector<signalling::IntroducedCandidate> candidates_;
  bool joined_ = false;
  bool has_path_ = false;
  bool doubted_ = false;
  int attempts_ = 0;  // since the path was lost or the rendezvous joined
  Time next_ = kNever;
  std::deque<Hint> hints_;  // of the last minute
  std::string last_error_;
  signalling::RelayPolicy relay_policy_ = signalling::RelayPolicy::kAuto;
};

}  // namespace hearthcast::away
