// P-256 public keys as SubjectPublicKeyInfo (DER): the one form in which keys are stored, sent and hashed.
#pragma once

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/secure/handles.hpp"

namespace hearthcast::secure {

// Null for anything but the one canonical encoding of a P-256 point: two encodings of one key would be two
// ids.
[[nodiscard]] PkeyHandle decode_public_key(Bytes subject_public_key_info);
[[nodiscard]] Buffer encode_public_key(EVP_PKEY& key);  // empty when the key has no encoding
[[nodiscard]] bool is_p256(EVP_PKEY& key);

// The identity that a certificate's key has; any kind of key.
[[nodiscard]] IdentityId identity_of(X509& certificate);

}  // namespace hearthcast::secure
