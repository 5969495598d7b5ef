// Introductions between a device and a box: signed end to end, opaque to the rendezvous that carries them.
// Source: docs/protocol/introduction.md.
#pragma once

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"

namespace hearthcast::signalling {

inline constexpr std::size_t kMaxCandidatesPerFamily = 8;

enum class CandidateType : std::uint8_t { kHost, kServerReflexive, kRelayed };
struct IntroducedCandidate {
  CandidateType type = CandidateType::kHost;
  Endpoint endpoint;
  friend auto operator<=>(const IntroducedCandidate&, const IntroducedCandidate&) = default;
};

// Orders what one sender says. The counter grows with every introduction and is stored; the generation grows
// when a backup was restored.
struct Freshness {
  std::uint64_t generation = 0;
  std::uint64_t counter = 0;
  friend auto operator<=>(const Freshness&, const Freshness&) = default;
};

enum class IntroductionRefusalCode : std::uint8_t { kNotPaired, kRevoked, kBusy, kStale };
struct IntroductionRefusal {
  IntroductionRefusalCode code = IntroductionRefusalCode::kNotPaired;
  std::string text;               // for people
  std::optional<Freshness> last;  // with kStale: the sender's last accepted pair
  friend bool operator==(const IntroductionRefusal&, const IntroductionRefusal&) = default;
};

using IntroductionNonce = std::array<std::uint8_t, 16>;

struct Introduction {
  IdentityId from;
  IdentityId to;
  IntroductionNonce nonce{};
  std::optional<IntroductionNonce> answers;  // the asker's nonce; absent when asking
  Freshness freshness;
  std::vector<IntroducedCandidate> candidates;
  std::optional<IntroductionRefusal> refusal;  // answers only
  RelayPolicy relay = RelayPolicy::kAuto;      // of the box that answers
  friend bool operator==(const Introduction&, const Introduction&) = default;
};

struct Sealed {
  Buffer payload;  // JSON octets, exactly those that are signed
  Buffer signature;
};

[[nodiscard]] Sealed seal(const Identity& sender, const Introduction& introduction);

enum class OpenError : std::uint8_t { kBadSignature, kMalformed, kWrongSender, kWrongReceiver };
// Verifies by the sender's public key, which must be the pinned one, or checked against the pin by the
// caller.
[[nodiscard]] Result<Introduction, OpenError> open(const Crypto& crypto, Bytes sender_public_key,
                                                   const IdentityId& self, Bytes payload, Bytes signature);
[[nodiscard]] Result<Introduction> decode_introduction(Bytes payload);  // without the signature
[[nodiscard]] Buffer encode_introduction(const Introduction& introduction);

// Candidates that a receiver may probe: no loopback, multicast, unspecified, link-local; host ones only when
// global IPv6 or private; at most kMaxCandidatesPerFamily of each family; no duplicates, in the sender's
// order.
[[nodiscard]] std::vector<IntroducedCandidate> usable_candidates(
    const std::vector<IntroducedCandidate>& offered);

// The nonces that an asker waits for: an answer counts once and within 30 s.
class PendingNonces {
 public:
  static constexpr std::chrono::seconds kLifetime{30};
  [[nodiscard]] IntroductionNonce draw(Random& random, Time now);
  [[nodiscard]] bool redeem(const IntroductionNonce& nonce, Time now);

 private:
  std::map<IntroductionNonce, Time> sent_;
};

}  // namespace hearthcast::signalling

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const hearthcast::signalling::OpenError&,
                                                    const source_location&) {
  throw std::runtime_error("introduction refused");
}
}  // namespace boost::system
