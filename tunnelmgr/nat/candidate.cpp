#include "tunnelmgr/nat/candidate.hpp"

#include <algorithm>
#include <array>

#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::nat {
namespace {

constexpr std::uint32_t kComponent = 1;  // GRE over DTLS needs one port

std::uint32_t type_preference(CandidateType type) {  // RFC 8445 section 5.1.2.2
  switch (type) {
    case CandidateType::kHost:
      return 126;
    case CandidateType::kPeerReflexive:
      return 110;
    case CandidateType::kServerReflexive:
      return 100;
    case CandidateType::kRelayed:
      return 0;
  }
  return 0;
}

bool may_probe(const Candidate& candidate) {
  const IpAddress& address = candidate.endpoint.address;
  if (candidate.endpoint.port == 0 || address.is_unspecified() || address.is_loopback() ||
      address.is_multicast() || address.is_link_local() || address == IpAddress::ip4(0xffffffff) ||
      wire::channel_of(candidate.endpoint)) {
    return false;
  }
  switch (candidate.type) {
    case CandidateType::kHost:
      return address.is_private() || address.is_ip6();
    case CandidateType::kServerReflexive:
    case CandidateType::kRelayed:
      return true;
    case CandidateType::kPeerReflexive:
      return false;  // those are learned from checks, never told
  }
  return false;
}

}  // namespace

std::string_view to_string(CandidateType type) {
  switch (type) {
    case CandidateType::kHost:
      return "host";
    case CandidateType::kPeerReflexive:
      return "prflx";
    case CandidateType::kServerReflexive:
      return "srflx";
    case CandidateType::kRelayed:
      return "relay";
  }
  return "unknown";
}

std::uint32_t priority(CandidateType type, Family family) {
  const std::uint32_t local_preference = family == Family::kIp6 ? 65535 : 65534;
  return (type_preference(type) << 24) | (local_preference << 8) | (256 - kComponent);
}

std::vector<Candidate> acceptable(const std::vector<Candidate>& offered) {
  std::vector<Candidate> accepted;
  std::array<std::size_t, 2> count{};
  for (const Candidate& candidate : offered) {
    auto& taken = count.at(candidate.endpoint.address.is_ip6() ? 1 : 0);
    const bool known = std::ranges::any_of(
        accepted, [&](const Candidate& other) { return other.endpoint == candidate.endpoint; });
    if (taken < kMaxCandidatesPerFamily && !known && may_probe(candidate)) {
      accepted.push_back(candidate);
      ++taken;
    }
  }
  return accepted;
}

}  // namespace hearthcast::nat
