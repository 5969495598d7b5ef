// Decides on introductions that devices ask for through the rendezvous: whether the asker is paired, whether
// the message is newer than its last, and what is signed in return. Performs nothing and stores nothing; the
// caller stores the accepted freshness before the answer leaves. Source: docs/protocol/introduction.md.
// Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "appliance/access/access.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/nat/candidate.hpp"
#include "tunnelmgr/signalling/client.hpp"

namespace hearthcast::app {

// Numbers that this box may sign with: each is used once, also across restarts.
struct CounterBlock {
  std::uint64_t generation = 0;
  std::uint64_t next = 0;
  std::uint64_t end = 0;  // one past the last
};

class Introducer {
 public:
  // A new block is wanted when so few are left.
  static constexpr std::uint64_t kLowWater = 100;

  // All outlive it.
  Introducer(const Crypto& crypto, Random& random, const Identity& box,
             signalling::RelayPolicy relay = signalling::RelayPolicy::kAuto)
      : crypto_(crypto), random_(random), box_(box), relay_(relay) {}

  void set_counters(CounterBlock block) { counters_ = block; }
  [[nodiscard]] bool wants_counters() const { return counters_.end - counters_.next < kLowWater; }
  // As stored: the last that was accepted of each device.
  void set_last(const IdentityId& device, signalling::Freshness last) { last_[device] = last; }

  struct Verdict {
    std::optional<signalling::Sealed> reply;        // nothing: the message is not worth an answer
    bool refused = false;                           // the reply is a refusal
    std::optional<signalling::Freshness> accepted;  // to be stored for the device, then reply and check
    std::vector<nat::Candidate> candidates;         // where the device may be; still to be filtered
    std::string reason;                             // why not, for the log
    bool doubtful = false;                          // no device of the owner can have asked like this
  };
  // `own`: where this box may be reached.
  [[nodiscard]] Verdict on_asked(const signalling::IntroduceOffer& offer, const access::Access& access,
                                 const std::vector<nat::Candidate>& own);

  // A number greater than all that came before it, in this run and former ones; for the list of allowed
  // devices.
  [[nodiscard]] std::optional<std::uint64_t> next_revision();
  [[nodiscard]] std::uint64_t generation() const { return counters_.generation; }
  // The generation whose revisions are beyond the one that a rendezvous says it has of this box: the present
  // one, if that will do. nullopt: no box can have come so far by now, whose generation is at most `by_clock`
  // (store/generation.hpp) when it was set back. So one that lies cannot use the numbers up.
  [[nodiscard]] std::optional<std::uint64_t> generation_beyond(std::uint64_t revision,
                                                               std::optional<std::int64_t> by_clock) const;

 private:
  [[nodiscard]] Verdict refuse(const signalling::Introduction& asked,
                               signalling::IntroductionRefusalCode code, std::string text);
  [[nodiscard]] std::optional<signalling::Introduction> reply_to(const signalling::Introduction& asked);

  const Crypto& crypto_;
  Random& random_;
  const Identity& box_;
  signalling::RelayPolicy relay_;
  CounterBlock counters_;
  std::map<IdentityId, signalling::Freshness> last_;
};

}  // namespace hearthcast::app
