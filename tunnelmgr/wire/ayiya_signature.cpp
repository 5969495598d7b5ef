#include "tunnelmgr/wire/ayiya_signature.hpp"

#include <algorithm>
#include <cassert>

namespace hearthcast::wire {
namespace {

template <std::size_t size>
Buffer owned(const std::array<std::uint8_t, size>& octets) {
  return {octets.begin(), octets.end()};
}

Buffer filling(AyiyaHash hash, Bytes secret, const AyiyaHashes& hashes) {
  switch (hash) {
    case AyiyaHash::kSha1:
      return owned(hashes.old.sha1(secret));
    case AyiyaHash::kSha256:
      return owned(hashes.crypto.sha256(secret));
    default:
      assert(hash == AyiyaHash::kHmacSha256);
      return Buffer(kMaxAyiyaSignature);
  }
}

}  // namespace

AyiyaSigner::AyiyaSigner(AyiyaHash hash, Bytes secret, AyiyaHashes hashes)
    : hash_(hash), hashes_(hashes), filling_(filling(hash, secret, hashes)) {
  if (hash == AyiyaHash::kHmacSha256) {
    key_.assign(secret.begin(), secret.end());
  }
}

std::array<std::uint8_t, kMaxAyiyaSignature> AyiyaSigner::digest(Bytes packet) const {
  std::array<std::uint8_t, kMaxAyiyaSignature> out{};
  switch (hash_) {
    case AyiyaHash::kSha1:
      std::ranges::copy(hashes_.old.sha1(packet), out.begin());
      break;
    case AyiyaHash::kSha256:
      out = hashes_.crypto.sha256(packet);
      break;
    default:
      out = hashes_.crypto.hmac_sha256(key_, packet);
  }
  return out;
}

void AyiyaSigner::sign(MutableBytes packet, std::size_t at) const {
  const auto place = packet.subspan(at, filling_.size());
  std::ranges::copy(filling_, place.begin());
  const auto made = digest(packet);
  std::copy_n(made.begin(), place.size(), place.begin());
}

bool AyiyaSigner::verify(Bytes packet) const {
  const auto decoded = decode_ayiya(packet);
  if (!decoded || decoded->hash != hash_ || decoded->signature.size() != filling_.size()) {
    return false;
  }
  Buffer copy(packet.begin(), packet.end());
  sign(copy, static_cast<std::size_t>(decoded->signature.data() - packet.data()));
  const auto place = ayiya_header_size(*decoded) - filling_.size();
  return Crypto::equal(Bytes(copy).subspan(place, filling_.size()), decoded->signature);
}

}  // namespace hearthcast::wire
