#include "tunnelmgr/signalling/pairing.hpp"

#include "tunnelmgr/signalling/json.hpp"

namespace hearthcast::signalling {
namespace {

constexpr std::size_t kMaxPublicKey = 256;  // a P-256 SubjectPublicKeyInfo has 91 octets
constexpr std::size_t kMaxName = kMaxDeviceName * 4;

constexpr std::pair<PairingRefusalCode, std::string_view> kCodes[] = {
    {PairingRefusalCode::kWrongCode, "wrong_code"},
    {PairingRefusalCode::kExpired, "expired"},
    {PairingRefusalCode::kUsed, "used"},
    {PairingRefusalCode::kTooManyTries, "too_many_tries"},
    {PairingRefusalCode::kNoWindow, "no_window"},
};

void append(Buffer& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// SHA-256(device public key) || SHA-256(name) || nonce
Buffer request_transcript(const Crypto& crypto, const PairingRequest& request) {
  Buffer t;
  append(t, crypto.sha256(request.public_key));
  append(t, crypto.sha256(as_bytes(request.name)));
  append(t, request.nonce);
  return t;
}

Sha256 role_mac(const Crypto& crypto, std::string_view role, const Buffer& transcript, Bytes key) {
  Buffer message(as_bytes(role).begin(), as_bytes(role).end());
  message.push_back(0);
  append(message, transcript);
  return crypto.hmac_sha256(key, message);
}

Sha256 request_mac(const Crypto& crypto, const PairingRequest& request, Bytes key) {
  return role_mac(crypto, "device", request_transcript(crypto, request), key);
}

// What the device will believe of the box besides its key, one line each: the rendezvous must not change it.
std::string details_of(const PairingAnswer& answer) {
  std::string text = answer.name + "\n";
  text += answer.rendezvous ? answer.rendezvous->url + "\n" + answer.rendezvous->pin_text() + "\n" : "\n\n";
  for (const Endpoint& endpoint : answer.addresses) {
    text += endpoint.to_string() + "\n";
  }
  return text;
}

Sha256 answer_mac(const Crypto& crypto, const PairingAnswer& answer, const PairingRequest& request,
                  Bytes key) {
  Buffer t = request_transcript(crypto, request);
  append(t, crypto.sha256(answer.public_key));
  append(t, answer.nonce);
  append(t, crypto.sha256(as_bytes(details_of(answer))));
  return role_mac(crypto, "box", t, key);
}

std::optional<PairingRefusal> read_refusal(const Json& error) {
  const auto code = text_member(error, "code", 32);
  for (const auto& [value, name] : kCodes) {
    if (code && *code == name) {
      return PairingRefusal{value, text_member(error, "text").value_or("")};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(PairingRefusalCode code) {
  for (const auto& [value, name] : kCodes) {
    if (value == code) {
      return name;
    }
  }
  return "no_window";
}

bool is_device_name(std::string_view name) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < name.size(); ++characters) {
    const auto lead = static_cast<unsigned char>(name[i]);
    const std::size_t length = lead < 0x80       ? 1
                               : lead >> 5 == 6  ? 2
                               : lead >> 4 == 14 ? 3
                               : lead >> 3 == 30 ? 4
                                                 : 0;
    if (length == 0 || i + length > name.size() || lead < ' ' || lead == 0x7f) {
      return false;
    }
    std::uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(name[i + k]);
      if (next >> 6 != 2) {
        return false;
      }
      point = point << 6 | (next & 0x3fU);
    }
    static constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ||
        (point >= 0x80 && point < 0xa0)) {
      return false;
    }
    i += length;
  }
  return characters >= 1 && characters <= kMaxDeviceName;
}

std::string encode(const PairingRequest& request) {
  return dump({{"public_key", to_base64url(request.public_key)},
               {"name", request.name},
               {"nonce", to_base64url(request.nonce)},
               {"mac", to_base64url(request.mac)}});
}

std::string encode(const PairingAnswer& answer) {
  Json json{{"public_key", to_base64url(answer.public_key)},
            {"nonce", to_base64url(answer.nonce)},
            {"mac", to_base64url(answer.mac)},
            {"name", answer.name},
            {"addresses", to_json(answer.addresses)}};
  if (answer.rendezvous) {
    json["rendezvous"] = {{"url", answer.rendezvous->url}, {"pin", answer.rendezvous->pin_text()}};
  }
  return dump(json);
}

std::string encode(const PairingRefusal& refusal) {
  return dump({{"error", {{"code", to_string(refusal.code)}, {"text", refusal.text}}}});
}

Result<PairingRequest> decode_pairing_request(std::string_view text) {
  const auto json = parse_object(text);
  PairingRequest request;
  const auto key = json ? octets_member(*json, "public_key", kMaxPublicKey) : std::nullopt;
  const auto name = json ? text_member(*json, "name", kMaxName) : std::nullopt;
  if (!key || key->empty() || !name || !is_device_name(*name) ||
      !read_octets(*json, "nonce", request.nonce) || !read_octets(*json, "mac", request.mac)) {
    return ParseError::kBadValue;
  }
  request.public_key = *key;
  request.name = *name;
  return request;
}

Result<PairingReply> decode_pairing_reply(std::string_view text) {
  const auto json = parse_object(text);
  if (!json) {
    return ParseError::kBadValue;
  }
  if (json->contains("error")) {
    const Json& error = (*json)["error"];
    const auto refusal = error.is_object() ? read_refusal(error) : std::nullopt;
    return refusal ? Result<PairingReply>(*refusal) : ParseError::kBadValue;
  }
  PairingAnswer answer;
  const auto key = octets_member(*json, "public_key", kMaxPublicKey);
  const auto name = text_member(*json, "name", kMaxName);
  const auto addresses = endpoints_member(*json, "addresses", kMaxLinkAddresses);
  if (!key || key->empty() || !name || !is_device_name(*name) || !addresses ||
      !read_octets(*json, "nonce", answer.nonce) || !read_octets(*json, "mac", answer.mac)) {
    return ParseError::kBadValue;
  }
  if (json->contains("rendezvous")) {
    const Json& rendezvous = (*json)["rendezvous"];
    const auto url = rendezvous.is_object() ? text_member(rendezvous, "url") : std::nullopt;
    const auto pin = rendezvous.is_object() ? text_member(rendezvous, "pin") : std::nullopt;
    answer.rendezvous = url && pin ? RendezvousAddress::parse(*url, *pin) : std::nullopt;
    if (!answer.rendezvous) {
      return ParseError::kBadValue;
    }
  }
  answer.public_key = *key;
  answer.name = *name;
  answer.addresses = *addresses;
  return PairingReply(answer);
}

Buffer pairing_key(const Crypto& crypto, Bytes secret) {
  return crypto.hkdf_sha256(secret, {}, as_bytes("hearthcast pairing 1"), 32);
}

PairingRequest make_pairing_request(const Crypto& crypto, Random& random, const Identity& device,
                                    std::string name, Bytes key) {
  PairingRequest request;
  request.public_key.assign(device.public_key().begin(), device.public_key().end());
  request.name = std::move(name);
  random.fill(request.nonce);
  request.mac = request_mac(crypto, request, key);
  return request;
}

bool proves(const Crypto& crypto, const PairingRequest& request, Bytes key) {
  return Crypto::equal(request.mac, request_mac(crypto, request, key));
}

void seal_pairing_answer(const Crypto& crypto, Random& random, const Identity& box,
                         const PairingRequest& request, Bytes key, PairingAnswer& answer) {
  answer.public_key.assign(box.public_key().begin(), box.public_key().end());
  random.fill(answer.nonce);
  answer.mac = answer_mac(crypto, answer, request, key);
}

bool proves(const Crypto& crypto, const PairingAnswer& answer, const PairingRequest& request, Bytes key) {
  return Crypto::equal(answer.mac, answer_mac(crypto, answer, request, key));
}

std::string pairing_fingerprint(const Crypto& crypto, Bytes device_public_key, Bytes box_public_key) {
  Buffer both(device_public_key.begin(), device_public_key.end());
  append(both, box_public_key);
  return to_crockford(crypto.sha256(both), 4);
}

}  // namespace hearthcast::signalling
