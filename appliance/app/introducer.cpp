#include "appliance/app/introducer.hpp"

#include <array>
#include <utility>

namespace hearthcast::app {
namespace {

using signalling::IntroducedCandidate;
using signalling::Introduction;
using signalling::IntroductionRefusalCode;

constexpr int kCounterBits = 40;  // of an allow-list revision; the generation is above

signalling::CandidateType type_of(nat::CandidateType type) {
  switch (type) {
    case nat::CandidateType::kHost:
      return signalling::CandidateType::kHost;
    case nat::CandidateType::kRelayed:
      return signalling::CandidateType::kRelayed;
    case nat::CandidateType::kPeerReflexive:
    case nat::CandidateType::kServerReflexive:
      break;
  }
  return signalling::CandidateType::kServerReflexive;
}

std::vector<IntroducedCandidate> introduced(const std::vector<nat::Candidate>& own) {
  std::vector<IntroducedCandidate> list;
  std::array<std::size_t, 2> count{};
  for (const nat::Candidate& candidate : own) {
    if (++count.at(candidate.endpoint.address.is_ip6() ? 1 : 0) <= signalling::kMaxCandidatesPerFamily) {
      list.push_back({type_of(candidate.type), candidate.endpoint});
    }
  }
  return list;
}

nat::CandidateType type_of(signalling::CandidateType type) {
  switch (type) {
    case signalling::CandidateType::kHost:
      return nat::CandidateType::kHost;
    case signalling::CandidateType::kServerReflexive:
      return nat::CandidateType::kServerReflexive;
    case signalling::CandidateType::kRelayed:
      return nat::CandidateType::kRelayed;
  }
  return nat::CandidateType::kServerReflexive;
}

bool is_allowed(const nat::Candidate& candidate, signalling::RelayPolicy policy) {
  const bool relayed = candidate.type == nat::CandidateType::kRelayed;
  switch (policy) {
    case signalling::RelayPolicy::kNever:
      return !relayed;
    case signalling::RelayPolicy::kAlways:
      return relayed || candidate.endpoint.address.is_private();
    case signalling::RelayPolicy::kAuto:
      break;
  }
  return true;
}

std::vector<nat::Candidate> candidates_of(const Introduction& asked, const std::vector<Endpoint>& observed,
                                          signalling::RelayPolicy policy) {
  std::vector<nat::Candidate> list;
  for (const IntroducedCandidate& candidate : asked.candidates) {
    list.push_back({type_of(candidate.type), candidate.endpoint});
  }
  for (const Endpoint& endpoint : observed) {
    list.push_back({nat::CandidateType::kServerReflexive, endpoint});
  }
  std::erase_if(list, [&](const nat::Candidate& candidate) { return !is_allowed(candidate, policy); });
  return list;
}

Introducer::Verdict unanswered(std::string why) {
  Introducer::Verdict verdict;
  verdict.refused = true;
  verdict.reason = std::move(why);
  verdict.doubtful = true;
  return verdict;
}

}  // namespace

Introducer::Verdict Introducer::on_asked(const signalling::IntroduceOffer& offer,
                                         const access::Access& access,
                                         const std::vector<nat::Candidate>& own) {
  // The pinned key, never the one that the rendezvous shows.
  const access::Device* device = access.devices().find(offer.device);
  if (device == nullptr) {
    return unanswered("not paired");
  }
  const auto asked = signalling::open(crypto_, device->public_key, box_.id(), offer.payload, offer.signature);
  if (!asked || asked->answers) {
    return unanswered("bad signature or form");
  }
  if (const auto last = last_.find(offer.device); last != last_.end() && asked->freshness <= last->second) {
    auto verdict =
        refuse(*asked, IntroductionRefusalCode::kStale, "The box has seen a newer message of this device.");
    verdict.reason = "replayed or stale";
    verdict.doubtful = true;
    return verdict;
  }
  last_[offer.device] = asked->freshness;
  if (device->state == access::DeviceState::kRevoked) {
    auto verdict = refuse(*asked, IntroductionRefusalCode::kRevoked, access.standing(device->identity)->text);
    verdict.accepted = asked->freshness;
    verdict.reason = "revoked";
    return verdict;
  }
  auto answer = reply_to(*asked);
  if (!answer) {
    Verdict verdict;
    verdict.refused = true;
    verdict.accepted = asked->freshness;
    verdict.reason = "no counters left";
    return verdict;
  }
  answer->candidates = introduced(own);
  answer->relay = relay_;
  return {.reply = signalling::seal(box_, *answer),
          .refused = false,
          .accepted = asked->freshness,
          .candidates = candidates_of(*asked, offer.observed, relay_),
          .reason = ""};
}

Introducer::Verdict Introducer::refuse(const Introduction& asked, IntroductionRefusalCode code,
                                       std::string text) {
  Verdict verdict;
  verdict.refused = true;
  if (auto answer = reply_to(asked)) {
    answer->refusal = signalling::IntroductionRefusal{code, std::move(text), std::nullopt};
    if (code == IntroductionRefusalCode::kStale) {
      answer->refusal->last = last_.at(asked.from);
    }
    verdict.reply = signalling::seal(box_, *answer);
  }
  return verdict;
}

std::optional<Introduction> Introducer::reply_to(const Introduction& asked) {
  if (counters_.next >= counters_.end) {
    return std::nullopt;
  }
  Introduction answer;
  answer.from = box_.id();
  answer.to = asked.from;
  random_.fill(answer.nonce);
  answer.answers = asked.nonce;
  answer.freshness = {counters_.generation, counters_.next++};
  return answer;
}

std::optional<std::uint64_t> Introducer::next_revision() {
  if (counters_.next >= counters_.end) {
    return std::nullopt;
  }
  return (counters_.generation << kCounterBits) + counters_.next++;
}

std::optional<std::uint64_t> Introducer::generation_beyond(std::uint64_t revision,
                                                           std::optional<std::int64_t> by_clock) const {
  const std::uint64_t generation = revision >> kCounterBits;
  if (generation < counters_.generation) {
    return counters_.generation;
  }
  return by_clock && generation <= static_cast<std::uint64_t>(*by_clock) ? std::optional(generation + 1)
                                                                         : std::nullopt;
}

}  // namespace hearthcast::app
