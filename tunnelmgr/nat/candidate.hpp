// ICE candidates of the one component on the one shared socket: kinds, priorities (RFC 8445 section 5.1.2),
// and which of a peer's candidates this end is willing to probe.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::nat {

enum class CandidateType : std::uint8_t { kHost, kPeerReflexive, kServerReflexive, kRelayed };

[[nodiscard]] std::string_view to_string(CandidateType type);  // host, prflx, srflx, relay

struct Candidate {
  CandidateType type = CandidateType::kHost;
  Endpoint endpoint;
  friend auto operator<=>(const Candidate&, const Candidate&) = default;
};

// Higher is better. IPv6 goes before IPv4 of the same type: where both work it needs no NAT's patience. Every
// pair has the same local side, the shared socket, so the remote candidate's priority also orders the pairs.
[[nodiscard]] std::uint32_t priority(CandidateType type, Family family);

inline constexpr std::size_t kMaxCandidatesPerFamily = 8;

// What may be probed of a list that a peer sent: nothing that a packet should not be sent to (loopback,
// multicast, unspecified, link-local, port zero, the notation of wire/channel_endpoint.hpp); host candidates
// only when they are site-private or global IPv6, since a global IPv4 one is either observed by the
// rendezvous or an attempt to aim us at somebody; no duplicates; at most kMaxCandidatesPerFamily of each
// family, in the peer's order.
[[nodiscard]] std::vector<Candidate> acceptable(const std::vector<Candidate>& offered);

}  // namespace hearthcast::nat
