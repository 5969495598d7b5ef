#include "tunnelmgr/signalling/message.hpp"

#include <algorithm>

#include "tunnelmgr/signalling/json.hpp"
#include "tunnelmgr/signalling/pairing_code.hpp"

namespace hearthcast::signalling {
namespace {

constexpr std::size_t kMaxKey = 256;
constexpr std::size_t kMaxSignature = 128;  // DER of two 32-octet numbers: at most 72
constexpr std::size_t kMaxSoftware = 128;
constexpr std::size_t kMaxRelayUrl = 512;
constexpr std::uint32_t kMaxRelayLifetime = 366 * 24 * 3600;

constexpr std::string_view kErrorNames[] = {"not_present", "not_allowed",   "rate",     "bad_message",
                                            "no_pairing",  "bad_signature", "replaced", "not_enrolled",
                                            "closed",      "draining"};

std::string base64(Bytes octets) { return to_base64url(octets); }

// --- writing: one overload per message ---

Json write(const Challenge& m) {
  return {{"type", "challenge"}, {"nonce", base64(m.nonce)}, {"software", m.software}};
}
Json write(const Hello& m) {
  Json json{{"type", "hello"},
            {"role", m.role == Role::kBox ? "box" : "device"},
            {"public_key", base64(m.public_key)},
            {"signature", base64(m.signature)},
            {"software", m.software}};
  if (!m.enrolment.empty()) {
    json["enrolment"] = m.enrolment;
  }
  return json;
}
Json write(const Welcome& m) {
  return {{"type", "welcome"},
          {"presence",
           {{"username", m.presence.username},
            {"password", m.presence.password},
            {"port", m.presence.port},
            {"interval_s", m.presence.interval_s}}},
          {"observed", m.observed.to_string()}};
}
Json write(const Allow& m) {
  Json devices = Json::array();
  for (const IdentityId& id : m.devices) {
    devices.push_back(id.to_string());
  }
  return {
      {"type", "allow"}, {"devices", devices}, {"revision", m.revision}, {"signature", base64(m.signature)}};
}
Json write(const PairingWindow& m) {
  return {{"type", "pairing"}, {"locator", m.locator}, {"seconds", m.seconds}};
}
Json write(const Mapping& m) { return {{"type", "mapping"}, {"endpoint", m.endpoint.to_string()}}; }
Json write(const Moved& m) {
  return {{"type", "moved"}, {"box", m.box.to_string()}, {"endpoints", to_json(m.endpoints)}};
}
Json write(const RelayAccess& m) {
  return {{"type", "relay"},
          {"urls", m.urls},
          {"username", m.username},
          {"password", m.password},
          {"lifetime_s", m.lifetime_s}};
}
Json write(const IntroduceRequest& m) {
  Json j{{"type", "introduce"},
         {"id", m.id},
         {"box", m.box.to_string()},
         {"payload", base64(m.payload)},
         {"signature", base64(m.signature)}};
  if (!m.relayed.empty()) {
    j["relayed"] = to_json(m.relayed);
  }
  return j;
}
Json write(const IntroduceOffer& m) {
  return {{"type", "introduce"},
          {"id", m.id},
          {"device", m.device.to_string()},
          {"public_key", base64(m.public_key)},
          {"payload", base64(m.payload)},
          {"signature", base64(m.signature)},
          {"observed", to_json(m.observed)}};
}
Json write(const IntroduceAnswer& m) {
  return {{"type", "answer"},
          {"id", m.id},
          {"payload", base64(m.payload)},
          {"signature", base64(m.signature)},
          {"observed", to_json(m.observed)}};
}
Json write(const IntroduceRefusal& m) {
  return {
      {"type", "refuse"}, {"id", m.id}, {"payload", base64(m.payload)}, {"signature", base64(m.signature)}};
}
Json write(const PairRequest& m) {
  Json json{{"type", "pair"}, {"id", m.id}, {"payload", m.payload}};
  if (const auto* box = std::get_if<IdentityId>(&m.to)) {
    json["box"] = box->to_string();
  } else {
    json["locator"] = std::get<std::string>(m.to);
  }
  return json;
}
Json write(const PairOffer& m) {
  return {{"type", "pair"}, {"id", m.id}, {"device", m.device.to_string()}, {"payload", m.payload}};
}
Json write(const PairAnswer& m) { return {{"type", "pair_answer"}, {"id", m.id}, {"payload", m.payload}}; }
Json write(const Error& m) {
  Json json{{"type", "error"}, {"code", to_string(m.code)}, {"text", m.text}};
  if (m.id) {
    json["id"] = *m.id;
  }
  if (m.retry_s) {
    json["retry_s"] = *m.retry_s;
  }
  if (m.revision) {
    json["revision"] = *m.revision;
  }
  return json;
}

// --- reading: one function per type; nullopt for a missing or wrong member ---

using Read = std::optional<Message>;

std::optional<std::uint32_t> small_number(const Json& j, const char* name, std::uint32_t max) {
  const auto number = number_member(j, name);
  return number && *number <= max ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

std::optional<Endpoint> endpoint_member(const Json& j, const char* name) {
  const auto text = text_member(j, name, 64);
  return text ? Endpoint::parse(*text) : std::nullopt;
}

// The octets that a sealed payload consists of, into two members of the message.
bool read_sealed(const Json& j, Buffer& payload, Buffer& signature) {
  auto p = octets_member(j, "payload", kMaxPayload);
  auto s = octets_member(j, "signature", kMaxSignature);
  if (!p || p->empty() || !s || s->empty()) {
    return false;
  }
  payload = std::move(*p);
  signature = std::move(*s);
  return true;
}

Read read_challenge(const Json& j) {
  Challenge m;
  m.software = text_member(j, "software", kMaxSoftware).value_or("");
  return read_octets(j, "nonce", m.nonce) ? Read(m) : std::nullopt;
}
Read read_hello(const Json& j) {
  Hello m;
  const auto role = text_member(j, "role", 16);
  auto key = octets_member(j, "public_key", kMaxKey);
  auto signature = octets_member(j, "signature", kMaxSignature);
  if (!role || (*role != "box" && *role != "device") || !key || key->empty() || !signature ||
      signature->empty()) {
    return std::nullopt;
  }
  m.role = *role == "box" ? Role::kBox : Role::kDevice;
  m.public_key = std::move(*key);
  m.signature = std::move(*signature);
  m.software = text_member(j, "software", kMaxSoftware).value_or("");
  m.enrolment = text_member(j, "enrolment", kMaxEnrolment).value_or("");
  return m;
}
Read read_welcome(const Json& j) {
  Welcome m;
  const auto presence = j.find("presence");
  const auto observed = endpoint_member(j, "observed");
  if (presence == j.end() || !presence->is_object() || !observed) {
    return std::nullopt;
  }
  const auto username = text_member(*presence, "username", 128);
  const auto password = text_member(*presence, "password", 128);
  const auto port = small_number(*presence, "port", 65535);
  const auto interval = small_number(*presence, "interval_s", 3600);
  if (!username || username->empty() || !password || password->empty() || !port || *port == 0 || !interval ||
      *interval == 0) {
    return std::nullopt;
  }
  m.presence = {*username, *password, static_cast<std::uint16_t>(*port), *interval};
  m.observed = *observed;
  return m;
}
Read read_allow(const Json& j) {
  Allow m;
  const auto devices = j.find("devices");
  const auto revision = number_member(j, "revision");
  auto signature = octets_member(j, "signature", kMaxSignature);
  if (devices == j.end() || !devices->is_array() || devices->size() > kMaxAllowed || !revision ||
      !signature) {
    return std::nullopt;
  }
  for (const Json& item : *devices) {
    const auto id = item.is_string() ? IdentityId::parse(item.get_ref<const std::string&>()) : std::nullopt;
    if (!id) {
      return std::nullopt;
    }
    m.devices.push_back(*id);
  }
  m.revision = *revision;
  m.signature = std::move(*signature);
  return m;
}
Read read_pairing(const Json& j) {
  const auto locator = text_member(j, "locator", 16);
  const auto seconds = small_number(j, "seconds", 3600);
  if (!locator || !seconds || (!locator->empty() && locator->size() != kLocatorSymbols)) {
    return std::nullopt;
  }
  return PairingWindow{*locator, *seconds};
}
Read read_mapping(const Json& j) {
  const auto endpoint = endpoint_member(j, "endpoint");
  return endpoint ? Read(Mapping{*endpoint}) : std::nullopt;
}
Read read_moved(const Json& j) {
  const auto box = id_member(j, "box");
  auto endpoints = endpoints_member(j, "endpoints", kMaxMoved);
  return box && endpoints && !endpoints->empty() ? Read(Moved{*box, std::move(*endpoints)}) : std::nullopt;
}
Read read_relay(const Json& j) {
  RelayAccess m;
  const auto urls = j.find("urls");
  const auto username = text_member(j, "username", 128);
  const auto password = text_member(j, "password", 128);
  const auto lifetime = small_number(j, "lifetime_s", kMaxRelayLifetime);
  if (urls == j.end() || !urls->is_array() || urls->size() > kMaxRelayUrls || !username || !password ||
      !lifetime) {
    return std::nullopt;
  }
  for (const Json& url : *urls) {
    if (!url.is_string() || url.get_ref<const std::string&>().size() > kMaxRelayUrl) {
      return std::nullopt;
    }
    m.urls.push_back(url.get<std::string>());
  }
  m.username = *username;
  m.password = *password;
  m.lifetime_s = *lifetime;
  return m;
}
Read read_introduce(const Json& j) {
  const auto id = number_member(j, "id");
  if (!id) {
    return std::nullopt;
  }
  if (const auto box = id_member(j, "box")) {
    IntroduceRequest m{*id, *box, {}, {}, {}};
    if (j.contains("relayed")) {
      auto relayed = endpoints_member(j, "relayed", kMaxRelayed);
      if (!relayed) {
        return std::nullopt;
      }
      m.relayed = std::move(*relayed);
    }
    return read_sealed(j, m.payload, m.signature) ? Read(m) : std::nullopt;
  }
  const auto device = id_member(j, "device");
  auto key = octets_member(j, "public_key", kMaxKey);
  auto observed = endpoints_member(j, "observed", kMaxObserved);
  if (!device || !key || key->empty() || !observed) {
    return std::nullopt;
  }
  IntroduceOffer m{*id, *device, std::move(*key), {}, {}, std::move(*observed)};
  return read_sealed(j, m.payload, m.signature) ? Read(m) : std::nullopt;
}
Read read_answer(const Json& j) {
  const auto id = number_member(j, "id");
  auto observed = endpoints_member(j, "observed", kMaxObserved);
  if (!id || !observed) {
    return std::nullopt;
  }
  IntroduceAnswer m{*id, {}, {}, std::move(*observed)};
  return read_sealed(j, m.payload, m.signature) ? Read(m) : std::nullopt;
}
Read read_refuse(const Json& j) {
  const auto id = number_member(j, "id");
  IntroduceRefusal m{id.value_or(0), {}, {}};
  return id && read_sealed(j, m.payload, m.signature) ? Read(m) : std::nullopt;
}
Read read_pair(const Json& j) {
  const auto id = number_member(j, "id");
  auto payload = text_member(j, "payload", kMaxPayload);
  if (!id || !payload) {
    return std::nullopt;
  }
  if (const auto device = id_member(j, "device")) {
    return PairOffer{*id, *device, std::move(*payload)};
  }
  if (const auto box = id_member(j, "box")) {
    return PairRequest{*id, *box, std::move(*payload)};
  }
  const auto locator = text_member(j, "locator", 16);
  return locator && locator->size() == kLocatorSymbols ? Read(PairRequest{*id, *locator, std::move(*payload)})
                                                       : std::nullopt;
}
Read read_pair_answer(const Json& j) {
  const auto id = number_member(j, "id");
  auto payload = text_member(j, "payload", kMaxPayload);
  return id && payload ? Read(PairAnswer{*id, std::move(*payload)}) : std::nullopt;
}
// A server's words end up in logs and on terminals: without what could act there.
std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

Read read_error(const Json& j) {
  const auto code = text_member(j, "code", 32);
  const auto at = std::ranges::find(kErrorNames, code.value_or(""));
  if (at == std::end(kErrorNames)) {
    return std::nullopt;
  }
  return Error{number_member(j, "id"), static_cast<ErrorCode>(at - std::begin(kErrorNames)),
               printable(text_member(j, "text").value_or("")), small_number(j, "retry_s", kMaxRetry),
               number_member(j, "revision")};
}

constexpr std::pair<std::string_view, Read (*)(const Json&)> kReaders[] = {
    {"challenge", read_challenge}, {"hello", read_hello},     {"welcome", read_welcome},
    {"allow", read_allow},         {"pairing", read_pairing}, {"mapping", read_mapping},
    {"introduce", read_introduce}, {"answer", read_answer},   {"refuse", read_refuse},
    {"pair", read_pair},           {"error", read_error},     {"pair_answer", read_pair_answer},
    {"relay", read_relay},         {"moved", read_moved},
};

Buffer with_context(std::string_view context) {
  Buffer out(as_bytes(context).begin(), as_bytes(context).end());
  out.push_back(0);
  return out;
}

}  // namespace

std::string_view to_string(ErrorCode code) { return kErrorNames[static_cast<std::size_t>(code)]; }

std::string encode(const Message& message) {
  return std::visit([](const auto& m) { return dump(write(m)); }, message);
}

Result<Message> decode_message(std::string_view text) {
  const auto json = parse_object(text);
  const auto type = json ? text_member(*json, "type", 32) : std::nullopt;
  if (!type) {
    return ParseError::kBadValue;
  }
  for (const auto& [name, read] : kReaders) {
    if (name == *type) {
      auto message = read(*json);
      return message ? Result<Message>(std::move(*message)) : ParseError::kBadValue;
    }
  }
  return ParseError::kUnknownType;
}

Buffer hello_signature_input(Bytes nonce, Bytes server_key_hash) {
  Buffer out = with_context("hearthcast rendezvous 1");
  Writer w(out);
  w.bytes(nonce);
  w.bytes(server_key_hash);
  return out;
}

Buffer allow_signature_input(const Allow& allow) {
  Buffer out = with_context("hearthcast allow 1");
  Writer w(out);
  w.u64(allow.revision);
  std::vector<IdentityId> sorted = allow.devices;
  std::ranges::sort(sorted);
  for (const IdentityId& id : sorted) {
    w.bytes(id.digest);
  }
  return out;
}

}  // namespace hearthcast::signalling
