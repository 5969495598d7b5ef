#include "tunnelmgr/secure/public_key.hpp"

#include <openssl/sha.h>

#include <array>
#include <string_view>

namespace hearthcast::secure {
namespace {

// RFC 5480: a named curve and an uncompressed point. OpenSSL re-encodes a compressed or hybrid point as it
// came, so comparing encodings alone would let one key have several ids.
constexpr std::size_t kEncodingSize = 91;
constexpr std::size_t kPointForm = 26;
constexpr std::uint8_t kUncompressed = 4;

}  // namespace

bool is_p256(EVP_PKEY& key) {
  std::array<char, 32> group{};
  std::size_t length = 0;
  const bool named = EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC &&
                     EVP_PKEY_get_group_name(&key, group.data(), group.size(), &length) == 1;
  return named && std::string_view(group.data(), length) == "prime256v1";
}

PkeyHandle decode_public_key(Bytes encoding) {
  if (encoding.size() != kEncodingSize || encoding[kPointForm] != kUncompressed) {
    return nullptr;
  }
  const unsigned char* at = encoding.data();
  PkeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(encoding.size())));
  ERR_clear_error();
  if (!key || !is_p256(*key) || !equal(encode_public_key(*key), encoding)) {
    return nullptr;
  }
  return key;
}

Buffer encode_public_key(EVP_PKEY& key) {
  unsigned char* encoding = nullptr;
  const int size = i2d_PUBKEY(&key, &encoding);
  if (size <= 0) {
    ERR_clear_error();
    return {};
  }
  Buffer out(encoding, encoding + size);
  OPENSSL_free(encoding);
  return out;
}

IdentityId identity_of(X509& certificate) {
  IdentityId id;
  unsigned char* encoding = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &encoding);
  if (size > 0) {
    SHA256(encoding, static_cast<std::size_t>(size), id.digest.data());
    OPENSSL_free(encoding);
  }
  return id;
}

}  // namespace hearthcast::secure
