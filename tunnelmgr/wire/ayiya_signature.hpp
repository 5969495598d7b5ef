// Signatures of AYIYA packets by a shared secret (draft-massar-v6ops-ayiya-02 section 5).
//
// The draft's way hashes the packet with the hash of the secret in the place of the signature; kSha1 is what
// was deployed. Ours, kHmacSha256, is an HMAC (RFC 2104) over the packet with zeros in that place.
#pragma once

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/old_hashes.hpp"
#include "tunnelmgr/wire/ayiya.hpp"

namespace hearthcast::wire {

inline constexpr std::size_t kMaxAyiyaSignature = 32;

struct AyiyaHashes {  // both outlive whoever holds this
  const Crypto& crypto;
  const OldHashes& old;
};

class AyiyaSigner {
 public:
  // `hash`: kSha1, kSha256 or kHmacSha256. The secret is taken as it is: for the draft's hashes the octets of
  // the password without an end mark.
  AyiyaSigner(AyiyaHash hash, Bytes secret, AyiyaHashes hashes);

  [[nodiscard]] AyiyaHash hash() const { return hash_; }
  [[nodiscard]] std::size_t signature_size() const { return filling_.size(); }

  // Writes the signature of a whole packet, which begins with its header and has room for the signature at
  // `at`. Does not allocate.
  void sign(MutableBytes packet, std::size_t at) const;
  // Of a packet that decode_ayiya() took. In constant time for what is secret.
  [[nodiscard]] bool verify(Bytes packet) const;

 private:
  [[nodiscard]] std::array<std::uint8_t, kMaxAyiyaSignature> digest(Bytes packet) const;

  AyiyaHash hash_;
  AyiyaHashes hashes_;
  Buffer key_;      // kHmacSha256 only
  Buffer filling_;  // what stands in the place of the signature while it is made
};

}  // namespace hearthcast::wire
