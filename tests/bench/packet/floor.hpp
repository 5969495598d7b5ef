// The least that any program with this cipher spends: the bare AEAD, a nonce for each packet.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::bench {

class AeadFloor {
 public:
  static constexpr std::size_t kTag = 16;

  AeadFloor() : seal_(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free) {
    EVP_EncryptInit_ex(seal_.get(), EVP_aes_128_gcm(), nullptr, key_.data(), nonce_.data());
  }
  // `out` has room for the tag behind the text.
  void seal(Bytes plaintext, MutableBytes out) {
    int size = 0;
    for (auto octet = nonce_.rbegin(); octet != nonce_.rend() && ++*octet == 0; ++octet) {
    }
    EVP_EncryptInit_ex(seal_.get(), nullptr, nullptr, nullptr, nonce_.data());
    EVP_EncryptUpdate(seal_.get(), out.data(), &size, plaintext.data(), static_cast<int>(plaintext.size()));
    EVP_EncryptFinal_ex(seal_.get(), out.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, kTag, out.data() + plaintext.size());
  }

 private:
  std::array<unsigned char, 16> key_{1, 2, 3};
  std::array<unsigned char, 12> nonce_{};
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> seal_;
};

}  // namespace hearthcast::bench
