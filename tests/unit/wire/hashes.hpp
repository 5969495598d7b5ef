// Hashes by OpenSSL behind the interfaces of base, made apart from the product's own: for checking
// signatures.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/old_hashes.hpp"

namespace hearthcast::wire {

template <std::size_t size>
std::array<std::uint8_t, size> digest(const EVP_MD* method, Bytes message) {
  std::array<std::uint8_t, size> out{};
  EVP_Digest(message.data(), message.size(), out.data(), nullptr, method, nullptr);
  return out;
}

template <std::size_t size>
std::array<std::uint8_t, size> hmac(const EVP_MD* method, Bytes key, Bytes message) {
  std::array<std::uint8_t, size> out{};
  unsigned written = size;
  HMAC(method, key.data(), static_cast<int>(key.size()), message.data(), message.size(), out.data(),
       &written);
  return out;
}

// Only its hashes.
class TestCrypto final : public Crypto {
 public:
  [[nodiscard]] Sha256 sha256(Bytes message) const override { return digest<32>(EVP_sha256(), message); }
  [[nodiscard]] Sha256 hmac_sha256(Bytes key, Bytes message) const override {
    return hmac<32>(EVP_sha256(), key, message);
  }
  [[nodiscard]] std::array<std::uint8_t, 20> hmac_sha1(Bytes key, Bytes message) const override {
    return hmac<20>(EVP_sha1(), key, message);
  }
  [[nodiscard]] Buffer hkdf_sha256(Bytes, Bytes, Bytes, std::size_t) const override { return {}; }
  [[nodiscard]] bool verify(Bytes, Bytes, Bytes) const override { return false; }
};

class TestOldHashes final : public OldHashes {
 public:
  [[nodiscard]] std::array<std::uint8_t, 20> sha1(Bytes message) const override {
    return digest<20>(EVP_sha1(), message);
  }
  [[nodiscard]] std::array<std::uint8_t, 16> md5(Bytes message) const override {
    return digest<16>(EVP_md5(), message);
  }
};

inline const TestCrypto kTestCrypto;
inline const TestOldHashes kTestOldHashes;

}  // namespace hearthcast::wire
