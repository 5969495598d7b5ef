// The two forms in which a box hands a pairing secret to a person: a link (or QR) and a code to type.
// Source: docs/protocol/pairing.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::signalling {

// How a client knows the rendezvous: by the system's authorities, or by the SHA-256 of its key.
struct RendezvousAddress {
  std::string url;            // wss://HOST[:PORT]/v1
  std::optional<Sha256> pin;  // absent: webpki
  // "webpki" or 64 hexadecimal digits.
  [[nodiscard]] std::string pin_text() const;
  [[nodiscard]] static std::optional<RendezvousAddress> parse(std::string_view url, std::string_view pin);
  friend bool operator==(const RendezvousAddress&, const RendezvousAddress&) = default;
};

inline constexpr std::size_t kLinkSecretSize = 16;
inline constexpr std::size_t kMaxLinkAddresses = 16;
inline constexpr std::size_t kMaxRendezvousUrl = 512;

struct PairingLink {
  IdentityId box;
  std::array<std::uint8_t, kLinkSecretSize> secret{};
  std::optional<RendezvousAddress> rendezvous;
  std::vector<Endpoint> addresses;  // of the box's HTTPS server, at most kMaxLinkAddresses
  friend bool operator==(const PairingLink&, const PairingLink&) = default;
};

[[nodiscard]] std::string encode_link(const PairingLink& link);  // hearthcast://pair#...
[[nodiscard]] Result<PairingLink> decode_link(std::string_view text);

inline constexpr std::size_t kLocatorSymbols = 4;
inline constexpr std::size_t kCodeSecretSize = 10;  // 16 symbols, 80 bits

struct PairingCode {
  std::string locator;  // kLocatorSymbols upper-case Crockford symbols
  std::array<std::uint8_t, kCodeSecretSize> secret{};
  friend bool operator==(const PairingCode&, const PairingCode&) = default;
};

[[nodiscard]] std::string encode_code(const PairingCode& code);  // AAAAA-BBBBB-CCCCC-DDDDD
[[nodiscard]] Result<PairingCode> decode_code(
    std::string_view text);  // hyphens, spaces and case do not matter

// Either of the two, as a person gives it to `pair`.
[[nodiscard]] Result<std::variant<PairingLink, PairingCode>> decode_invitation(std::string_view text);

}  // namespace hearthcast::signalling
