// OpenSSL's HMACs behind the Crypto interface: an implementation that is not ours, for checking the
// codec.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::wire {

class HmacOnly final : public Crypto {
 public:
  [[nodiscard]] std::array<std::uint8_t, 20> hmac_sha1(Bytes key, Bytes message) const override {
    std::array<std::uint8_t, 20> out{};
    unsigned size = 20;
    HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(),
         &size);
    return out;
  }
  [[nodiscard]] Sha256 sha256(Bytes) const override { return {}; }
  [[nodiscard]] Sha256 hmac_sha256(Bytes key, Bytes message) const override {
    Sha256 out{};
    unsigned size = 32;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(),
         &size);
    return out;
  }
  [[nodiscard]] Buffer hkdf_sha256(Bytes, Bytes, Bytes, std::size_t) const override { return {}; }
  [[nodiscard]] bool verify(Bytes, Bytes, Bytes) const override { return false; }
};

}  // namespace hearthcast::wire
