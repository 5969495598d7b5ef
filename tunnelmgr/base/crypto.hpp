// What pure code needs of cryptography, behind interfaces: the only implementation of the product is
// tunnelmgr/secure; tests may bring their own.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast {

using Sha256 = std::array<std::uint8_t, 32>;

// Who a box or a device is: SHA-256 of its public key (SubjectPublicKeyInfo, DER). Text form: 64 hexadecimal
// digits.
struct IdentityId {
  Sha256 digest{};
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] static std::optional<IdentityId> parse(std::string_view hex);
  friend auto operator<=>(const IdentityId&, const IdentityId&) = default;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;  // cryptographically strong
};

class Crypto {
 public:
  virtual ~Crypto() = default;
  [[nodiscard]] virtual Sha256 sha256(Bytes message) const = 0;
  [[nodiscard]] virtual Sha256 hmac_sha256(Bytes key, Bytes message) const = 0;
  [[nodiscard]] virtual std::array<std::uint8_t, 20> hmac_sha1(Bytes key, Bytes message) const = 0;
  [[nodiscard]] virtual Buffer hkdf_sha256(Bytes secret, Bytes salt, Bytes info, std::size_t size) const = 0;
  // ECDSA P-256 over SHA-256; public_key is a SubjectPublicKeyInfo in DER. False for anything malformed.
  [[nodiscard]] virtual bool verify(Bytes public_key, Bytes message, Bytes signature) const = 0;
  [[nodiscard]] static bool equal(Bytes a, Bytes b);  // constant time for equal sizes
};

// A long-lived P-256 key. The private part never leaves the implementation.
class Identity {
 public:
  virtual ~Identity() = default;
  [[nodiscard]] virtual Bytes public_key()
      const = 0;  // SubjectPublicKeyInfo, DER; lives as long as the identity
  [[nodiscard]] virtual IdentityId id() const = 0;
  [[nodiscard]] virtual Buffer sign(Bytes message) const = 0;  // ECDSA P-256 over SHA-256, DER
  // ECDH with a peer's public key: 32 octets, or nullopt when the key is not a P-256 point.
  [[nodiscard]] virtual std::optional<Buffer> agree(Bytes peer_public_key) const = 0;
};

}  // namespace hearthcast

template <>
struct std::hash<hearthcast::IdentityId> {
  std::size_t operator()(const hearthcast::IdentityId& id) const noexcept {
    return std::hash<std::string_view>{}(hearthcast::as_text(id.digest));
  }
};
