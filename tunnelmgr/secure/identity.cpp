#include "tunnelmgr/secure/identity.hpp"

#include <openssl/ec.h>

#include <cstdio>
#include <cstdlib>

#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/public_key.hpp"

namespace hearthcast::secure {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "fatal: %s failed: %s\n", what, take_openssl_error().c_str());
  std::abort();
}

}  // namespace

Result<OpenSslIdentity, Failure> OpenSslIdentity::adopt(std::shared_ptr<EVP_PKEY> key) {
  if (!key || !is_p256(*key)) {
    return Failure{"not a P-256 private key"};
  }
  OpenSslIdentity identity;
  identity.public_key_ = std::make_shared<const Buffer>(encode_public_key(*key));
  identity.id_ = IdentityId{OpenSslCrypto().sha256(*identity.public_key_)};
  identity.key_ = std::move(key);
  return identity;
}

Buffer OpenSslIdentity::sign(Bytes message) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  Buffer signature(size);
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1) {
    give_up("signing");
  }
  signature.resize(size);
  return signature;
}

std::optional<Buffer> OpenSslIdentity::agree(Bytes peer_public_key) const {
  const PkeyHandle peer = decode_public_key(peer_public_key);
  if (!peer) {
    return std::nullopt;
  }
  const PkeyContext context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  std::size_t size = 32;
  Buffer secret(size);
  if (!context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), secret.data(), &size) != 1 || size != secret.size()) {
    ERR_clear_error();
    return std::nullopt;
  }
  return secret;
}

OpenSslIdentity make_identity() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  auto identity = key ? OpenSslIdentity::adopt(std::move(key)) : Failure{"no key"};
  if (!identity) {
    give_up("making a key");
  }
  return *identity;
}

}  // namespace hearthcast::secure
