// What device and box say to each other while pairing, and the proofs in it. The rendezvous carries it
// without learning a secret. Source: docs/protocol/pairing.md.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/signalling/pairing_code.hpp"

namespace hearthcast::signalling {

using Nonce = std::array<std::uint8_t, 16>;
inline constexpr std::size_t kMaxDeviceName = 64;  // characters, not octets

struct PairingRequest {  // device to box
  Buffer public_key;
  std::string name;
  Nonce nonce{};
  Sha256 mac{};
  friend bool operator==(const PairingRequest&, const PairingRequest&) = default;
};

struct PairingAnswer {  // box to device
  Buffer public_key;
  Nonce nonce{};
  Sha256 mac{};
  std::string name;
  std::optional<RendezvousAddress> rendezvous;
  std::vector<Endpoint> addresses;
  friend bool operator==(const PairingAnswer&, const PairingAnswer&) = default;
};

enum class PairingRefusalCode { kWrongCode, kExpired, kUsed, kTooManyTries, kNoWindow };
struct PairingRefusal {
  PairingRefusalCode code = PairingRefusalCode::kNoWindow;
  std::string text;  // for people
  friend bool operator==(const PairingRefusal&, const PairingRefusal&) = default;
};
[[nodiscard]] std::string_view to_string(PairingRefusalCode code);

// JSON texts. Unknown members are ignored; a name must be valid UTF-8 of 1 to kMaxDeviceName characters
// without control characters.
[[nodiscard]] std::string encode(const PairingRequest& request);
[[nodiscard]] std::string encode(const PairingAnswer& answer);
[[nodiscard]] std::string encode(const PairingRefusal& refusal);
[[nodiscard]] Result<PairingRequest> decode_pairing_request(std::string_view json);
using PairingReply = std::variant<PairingAnswer, PairingRefusal>;
[[nodiscard]] Result<PairingReply> decode_pairing_reply(std::string_view json);

// The key of a window's secret: of its link (16 octets) or of its code (10 octets).
[[nodiscard]] Buffer pairing_key(const Crypto& crypto, Bytes secret);

// A request with its mac; the nonce is drawn here.
[[nodiscard]] PairingRequest make_pairing_request(const Crypto& crypto, Random& random,
                                                  const Identity& device, std::string name, Bytes key);
[[nodiscard]] bool proves(const Crypto& crypto, const PairingRequest& request, Bytes key);

// Fills public_key, nonce and mac; the caller has set the rest.
void seal_pairing_answer(const Crypto& crypto, Random& random, const Identity& box,
                         const PairingRequest& request, Bytes key, PairingAnswer& answer);
[[nodiscard]] bool proves(const Crypto& crypto, const PairingAnswer& answer, const PairingRequest& request,
                          Bytes key);

// What both screens show before the owner approves: four Crockford symbols.
[[nodiscard]] std::string pairing_fingerprint(const Crypto& crypto, Bytes device_public_key,
                                              Bytes box_public_key);

// 1 to kMaxDeviceName characters of valid UTF-8, none of them a control character.
[[nodiscard]] bool is_device_name(std::string_view name);

}  // namespace hearthcast::signalling
