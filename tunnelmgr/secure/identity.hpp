// Long-lived P-256 identities: made, kept in a file, used to sign, to agree on keys and to certify sessions.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/result.hpp"

struct evp_pkey_st;  // EVP_PKEY

namespace hearthcast::secure {

// Copies share one immutable key, so they are cheap and safe from every thread. The key is never empty.
class OpenSslIdentity final : public Identity {
 public:
  // Takes a P-256 private key over; anything else is a Failure.
  [[nodiscard]] static Result<OpenSslIdentity, Failure> adopt(std::shared_ptr<evp_pkey_st> key);

  [[nodiscard]] Bytes public_key() const override { return *public_key_; }
  [[nodiscard]] IdentityId id() const override { return id_; }
  [[nodiscard]] Buffer sign(Bytes message) const override;
  [[nodiscard]] std::optional<Buffer> agree(Bytes peer_public_key) const override;

  // For this folder's sessions and contexts; lives as long as any copy of the identity.
  [[nodiscard]] const std::shared_ptr<evp_pkey_st>& key() const { return key_; }

 private:
  OpenSslIdentity() = default;
  // Shared by all copies of one identity: the key is immutable after adopt().
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<const Buffer> public_key_;
  IdentityId id_;
};

// A new random identity that lives only in memory.
[[nodiscard]] OpenSslIdentity make_identity();

// From PEM (PKCS #8), not encrypted.
[[nodiscard]] Result<OpenSslIdentity, Failure> identity_from_pem(std::string_view pem);

// Reads the PEM file. A missing file is a Failure, too.
[[nodiscard]] Result<OpenSslIdentity, Failure> load_identity(const std::filesystem::path& file);

// Reads the file, or makes an identity and writes the file (mode 0600, whole or not at all, also across a
// power cut). A damaged file is a Failure and is left as it is: a new identity would silently unpair
// everything.
[[nodiscard]] Result<OpenSslIdentity, Failure> load_or_make_identity(const std::filesystem::path& file);

}  // namespace hearthcast::secure
