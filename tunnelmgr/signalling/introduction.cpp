#include "tunnelmgr/signalling/introduction.hpp"

#include <algorithm>

#include "tunnelmgr/signalling/json.hpp"
#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::signalling {
namespace {

constexpr std::string_view kContext = "hearthcast introduction 1";
constexpr std::size_t kMaxCandidates = 2 * kMaxCandidatesPerFamily;
constexpr std::size_t kMaxPending = 64;
constexpr std::string_view kTypes[] = {"host", "srflx", "relay"};  // in the order of CandidateType
constexpr std::string_view kRefusals[] = {"not_paired", "revoked", "busy", "stale"};

Buffer signature_input(Bytes payload) {
  Buffer out(as_bytes(kContext).begin(), as_bytes(kContext).end());
  out.push_back(0);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

std::optional<Freshness> read_freshness(const Json& j) {
  const auto generation = number_member(j, "generation");
  const auto counter = number_member(j, "counter");
  return generation && counter ? std::optional(Freshness{*generation, *counter}) : std::nullopt;
}

std::optional<std::vector<IntroducedCandidate>> read_candidates(const Json& j) {
  const auto list = j.find("candidates");
  if (list == j.end() || !list->is_array() || list->size() > kMaxCandidates) {
    return std::nullopt;
  }
  std::vector<IntroducedCandidate> candidates;
  for (const Json& item : *list) {
    const auto type = item.is_object() ? text_member(item, "type", 16) : std::nullopt;
    const auto endpoint = item.is_object() ? text_member(item, "endpoint", 64) : std::nullopt;
    const auto parsed = endpoint ? Endpoint::parse(*endpoint) : std::nullopt;
    if (!type || !parsed) {
      return std::nullopt;
    }
    const auto known = std::ranges::find(kTypes, *type);
    if (known != std::end(kTypes)) {  // types of later versions are ignored
      candidates.push_back({static_cast<CandidateType>(known - std::begin(kTypes)), *parsed});
    }
  }
  return candidates;
}

std::optional<IntroductionRefusal> read_refusal(const Json& j) {
  const auto code = text_member(j, "code", 32);
  const auto at = std::ranges::find(kRefusals, code.value_or(""));
  if (at == std::end(kRefusals)) {
    return std::nullopt;
  }
  IntroductionRefusal refusal{static_cast<IntroductionRefusalCode>(at - std::begin(kRefusals)),
                              text_member(j, "text").value_or(""), std::nullopt};
  if (const auto last = j.find("last"); last != j.end() && last->is_object()) {
    refusal.last = read_freshness(*last);
  }
  return refusal;
}

}  // namespace

Buffer encode_introduction(const Introduction& introduction) {
  Json candidates = Json::array();
  for (const IntroducedCandidate& c : introduction.candidates) {
    candidates.push_back(
        {{"type", kTypes[static_cast<std::size_t>(c.type)]}, {"endpoint", c.endpoint.to_string()}});
  }
  Json json{{"from", introduction.from.to_string()},     {"to", introduction.to.to_string()},
            {"nonce", to_base64url(introduction.nonce)}, {"generation", introduction.freshness.generation},
            {"counter", introduction.freshness.counter}, {"candidates", candidates}};
  if (introduction.answers) {
    json["answers"] = to_base64url(*introduction.answers);
  }
  if (introduction.relay != RelayPolicy::kAuto) {
    json["relay"] = to_string(introduction.relay);
  }
  if (introduction.refusal) {
    Json refusal{{"code", kRefusals[static_cast<std::size_t>(introduction.refusal->code)]},
                 {"text", introduction.refusal->text}};
    if (const auto& last = introduction.refusal->last) {
      refusal["last"] = {{"generation", last->generation}, {"counter", last->counter}};
    }
    json["refusal"] = refusal;
  }
  const std::string text = dump(json);
  return {text.begin(), text.end()};
}

Result<Introduction> decode_introduction(Bytes payload) {
  const auto json = payload.size() <= kMaxPayload ? parse_object(as_text(payload)) : std::nullopt;
  if (!json) {
    return ParseError::kBadValue;
  }
  Introduction introduction;
  const auto from = id_member(*json, "from");
  const auto to = id_member(*json, "to");
  const auto freshness = read_freshness(*json);
  auto candidates = read_candidates(*json);
  if (!from || !to || !freshness || !candidates || !read_octets(*json, "nonce", introduction.nonce)) {
    return ParseError::kBadValue;
  }
  introduction.from = *from;
  introduction.to = *to;
  introduction.freshness = *freshness;
  introduction.candidates = std::move(*candidates);
  if (json->contains("answers") && !read_octets(*json, "answers", introduction.answers.emplace())) {
    return ParseError::kBadValue;
  }
  // Words of later versions change nothing.
  introduction.relay =
      parse_relay_policy(text_member(*json, "relay", 16).value_or("")).value_or(RelayPolicy::kAuto);
  if (const auto refusal = json->find("refusal"); refusal != json->end()) {
    introduction.refusal = refusal->is_object() ? read_refusal(*refusal) : std::nullopt;
    if (!introduction.refusal || !introduction.answers) {
      return ParseError::kBadValue;
    }
  }
  return introduction;
}

Sealed seal(const Identity& sender, const Introduction& introduction) {
  Sealed sealed{encode_introduction(introduction), {}};
  sealed.signature = sender.sign(signature_input(sealed.payload));
  return sealed;
}

Result<Introduction, OpenError> open(const Crypto& crypto, Bytes sender_public_key, const IdentityId& self,
                                     Bytes payload, Bytes signature) {
  if (!crypto.verify(sender_public_key, signature_input(payload), signature)) {
    return OpenError::kBadSignature;
  }
  const auto introduction = decode_introduction(payload);
  if (!introduction) {
    return OpenError::kMalformed;
  }
  if (introduction->from.digest != crypto.sha256(sender_public_key)) {
    return OpenError::kWrongSender;
  }
  if (introduction->to != self) {
    return OpenError::kWrongReceiver;
  }
  return *introduction;
}

std::vector<IntroducedCandidate> usable_candidates(const std::vector<IntroducedCandidate>& offered) {
  std::vector<IntroducedCandidate> usable;
  std::size_t count[2] = {};
  for (const IntroducedCandidate& c : offered) {
    const IpAddress& a = c.endpoint.address;
    const bool reachable = c.endpoint.port != 0 && !a.is_unspecified() && !a.is_loopback() &&
                           !a.is_multicast() && !a.is_link_local();
    const bool taken = c.type != CandidateType::kHost || a.is_ip6() || a.is_private();
    std::size_t& of_family = count[a.is_ip6() ? 1 : 0];
    if (reachable && taken && of_family < kMaxCandidatesPerFamily &&
        std::ranges::find(usable, c) == usable.end()) {
      ++of_family;
      usable.push_back(c);
    }
  }
  return usable;
}

IntroductionNonce PendingNonces::draw(Random& random, Time now) {
  std::erase_if(sent_, [&](const auto& entry) { return now - entry.second > kLifetime; });
  if (sent_.size() >= kMaxPending) {
    sent_.erase(std::ranges::min_element(sent_, {}, [](const auto& entry) { return entry.second; }));
  }
  IntroductionNonce nonce{};
  random.fill(nonce);
  sent_[nonce] = now;
  return nonce;
}

bool PendingNonces::redeem(const IntroductionNonce& nonce, Time now) {
  const auto at = sent_.find(nonce);
  if (at == sent_.end()) {
    return false;
  }
  const bool fresh = now - at->second <= kLifetime;
  sent_.erase(at);
  return fresh;
}

}  // namespace hearthcast::signalling
