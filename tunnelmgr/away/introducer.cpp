#include "tunnelmgr/away/introducer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hearthcast::away {
namespace {

constexpr Duration kMappingWait = std::chrono::seconds{1};  // for the answer to the first presence request
constexpr Duration kFirstRepeat = std::chrono::seconds{4};
constexpr Duration kDoubtRepeat =
    std::chrono::seconds{1};  // doubles, too: the box may not know it yet itself
constexpr Duration kLastRepeat =
    std::chrono::seconds{40};  // a direct path within a minute of there being one

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

}  // namespace

Introducer::Introducer(const Crypto& crypto, Random& random, const Identity& self, Buffer box_public_key)
    : crypto_(crypto),
      random_(random),
      self_(self),
      box_public_key_(std::move(box_public_key)),
      box_{crypto.sha256(box_public_key_)} {}

void Introducer::schedule(Duration after, Time now) {
  next_ = joined_ && (!has_path_ || doubted_) ? std::min(next_, now + after) : kNever;
}

void Introducer::set_candidates(std::vector<signalling::IntroducedCandidate> candidates, Time now) {
  if (candidates == candidates_) {
    return;
  }
  candidates_ = std::move(candidates);
  attempts_ = 0;
  schedule({}, now);
}

void Introducer::on_joined(bool joined, Time now) {
  joined_ = joined;
  attempts_ = 0;
  // One that roams has asked for its mapping already, and asks again when it comes to be another.
  schedule(doubted_ ? Duration{} : kMappingWait, now);
}

void Introducer::on_path(bool has_path, Time now) {
  if (std::exchange(has_path_, has_path) != has_path) {
    attempts_ = 0;
    schedule({}, now);
  }
}

void Introducer::on_doubt(bool doubted, Time now) {
  if (std::exchange(doubted_, doubted) != doubted) {
    attempts_ = 0;
    schedule({}, now);
  }
}

std::optional<signalling::Sealed> Introducer::on_deadline(Memory& memory, Time now) {
  if (now < next_) {
    return std::nullopt;
  }
  const Duration first = doubted_ ? kDoubtRepeat : kFirstRepeat;
  const Duration limit = std::min(kLastRepeat, first * (1 << std::min(attempts_++, 6)));
  std::array<std::uint8_t, 2> octets{};
  random_.fill(octets);
  next_ = now + limit / 2 + limit / 2 / 1024 * (Reader(octets).u16() % 1024);

  signalling::Introduction introduction;
  introduction.from = self_.id();
  introduction.to = box_;
  introduction.nonce = nonces_.draw(random_, now);
  ++memory.own.counter;
  introduction.freshness = memory.own;
  introduction.candidates = candidates_;
  return signalling::seal(self_, introduction);
}

std::vector<nat::Candidate> Introducer::on_answer(const signalling::IntroductionAnswered& answer,
                                                  Memory& memory, Time now) {
  const auto opened =
      signalling::open(crypto_, box_public_key_, self_.id(), answer.sealed.payload, answer.sealed.signature);
  if (!opened || opened->from != box_) {
    last_error_ = "an answer that is not signed by the paired box was ignored";
    return {};
  }
  if (!opened->answers || !nonces_.redeem(*opened->answers, now)) {
    last_error_ = "an answer to a question that was not asked was ignored";
    return {};
  }
  if (opened->refusal) {
    // The box has seen a higher number from us: our state is older than what it remembers.
    if (const auto& last = opened->refusal->last; last && *last >= memory.own) {
      memory.own = {last->generation, last->counter + 1};
      schedule({}, now);
    }
    last_error_ = "the box refuses: " + opened->refusal->text;
    return {};
  }
  if (opened->freshness <= memory.box) {
    last_error_ = "a repeated answer was ignored";
    return {};
  }
  memory.box = opened->freshness;
  relay_policy_ = opened->relay;
  last_error_.clear();
  std::vector<nat::Candidate> offered;
  for (const auto& candidate : signalling::usable_candidates(opened->candidates)) {
    offered.push_back({type_of(candidate.type), candidate.endpoint});
  }
  return nat::acceptable(offered);
}

std::vector<nat::Candidate> Introducer::on_moved(const signalling::BoxMoved& moved,
                                                 const std::function<bool(const Endpoint&)>& answers,
                                                 Time now) {
  if (moved.box != box_) {
    return {};
  }
  while (!hints_.empty() && hints_.front().at + std::chrono::minutes{1} <= now) {
    hints_.pop_front();
  }
  for (Hint& hint : hints_) {
    hint.was_true = hint.was_true || answers(hint.endpoint);
  }
  auto vain = static_cast<std::size_t>(std::ranges::count(hints_, false, &Hint::was_true));
  std::vector<nat::Candidate> offered;
  for (const Endpoint& endpoint : moved.endpoints) {
    offered.push_back({nat::CandidateType::kServerReflexive, endpoint});
  }
  std::vector<nat::Candidate> usable;
  bool news = false;
  for (const nat::Candidate& candidate : nat::acceptable(offered)) {
    const bool told_twice = std::ranges::any_of(hints_, [&](const Hint& hint) {
      return hint.endpoint == candidate.endpoint && hint.at + kToldTwice > now;
    });
    if (candidate.endpoint.address.is_private() || (!told_twice && vain == kMostVainHints)) {
      continue;
    }
    if (!told_twice) {
      hints_.push_back({now, candidate.endpoint});
      ++vain;
      news = true;
    }
    usable.push_back(candidate);
  }
  return news ? usable : std::vector<nat::Candidate>();
}

void Introducer::on_failed(const signalling::RequestFailed& failed) { last_error_ = failed.text; }

}  // namespace hearthcast::away
