// The product's Crypto and Random, by OpenSSL. Both are safe from every thread.
#pragma once

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::secure {

class OpenSslCrypto final : public Crypto {
 public:
  [[nodiscard]] Sha256 sha256(Bytes message) const override;
  [[nodiscard]] Sha256 hmac_sha256(Bytes key, Bytes message) const override;
  [[nodiscard]] std::array<std::uint8_t, 20> hmac_sha1(Bytes key, Bytes message) const override;
  // RFC 5869; size is at most 255 * 32 octets, more is a bug of the caller.
  [[nodiscard]] Buffer hkdf_sha256(Bytes secret, Bytes salt, Bytes info, std::size_t size) const override;
  [[nodiscard]] bool verify(Bytes public_key, Bytes message, Bytes signature) const override;
};

class OpenSslRandom final : public Random {
 public:
  void fill(MutableBytes out) override;  // ends the program when the machine has no randomness to give
};

}  // namespace hearthcast::secure
