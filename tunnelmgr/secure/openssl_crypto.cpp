#include "tunnelmgr/secure/openssl_crypto.hpp"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>

#include "tunnelmgr/secure/public_key.hpp"

namespace hearthcast::secure {
namespace {

// Only out of memory makes a digest fail; a wrong MAC must not go on as a right one.
[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "fatal: %s failed: %s\n", what, take_openssl_error().c_str());
  std::abort();
}

template <std::size_t size>
std::array<std::uint8_t, size> hmac(const EVP_MD* digest, Bytes key, Bytes message) {
  std::array<std::uint8_t, size> out{};
  unsigned length = 0;
  const std::uint8_t nothing = 0;  // OpenSSL takes a null key or message for a missing one, not an empty one
  if (HMAC(digest, key.empty() ? &nothing : key.data(), static_cast<int>(key.size()),
           message.empty() ? &nothing : message.data(), message.size(), out.data(), &length) == nullptr ||
      length != size) {
    give_up("HMAC");
  }
  return out;
}

}  // namespace

Sha256 OpenSslCrypto::sha256(Bytes message) const {
  Sha256 out{};
  SHA256(message.data(), message.size(), out.data());
  return out;
}

Sha256 OpenSslCrypto::hmac_sha256(Bytes key, Bytes message) const {
  return hmac<32>(EVP_sha256(), key, message);
}

std::array<std::uint8_t, 20> OpenSslCrypto::hmac_sha1(Bytes key, Bytes message) const {
  return hmac<20>(EVP_sha1(), key, message);
}

Buffer OpenSslCrypto::hkdf_sha256(Bytes secret, Bytes salt, Bytes info, std::size_t size) const {
  assert(size <= std::size_t{255} * 32);
  const Sha256 key = hmac_sha256(salt, secret);  // RFC 5869 s2.2: an empty salt is as good as zeros
  Buffer out;
  Buffer block;
  for (std::uint8_t number = 1; out.size() < size; ++number) {
    block.insert(block.end(), info.begin(), info.end());
    block.push_back(number);
    const Sha256 next = hmac_sha256(key, block);
    block.assign(next.begin(), next.end());
    const std::size_t wanted = std::min(block.size(), size - out.size());
    out.insert(out.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(wanted));
  }
  return out;
}

bool OpenSslCrypto::verify(Bytes public_key, Bytes message, Bytes signature) const {
  const PkeyHandle key = decode_public_key(public_key);
  const DigestContext context(EVP_MD_CTX_new());
  if (!key || !context ||
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1) {
    ERR_clear_error();
    return false;
  }
  const int verdict =
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size());
  ERR_clear_error();
  return verdict == 1;
}

void OpenSslRandom::fill(MutableBytes out) {
  if (!out.empty() && RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) {
    give_up("the random generator");
  }
}

}  // namespace hearthcast::secure
