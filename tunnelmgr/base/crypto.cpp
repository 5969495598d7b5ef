#include "tunnelmgr/base/crypto.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast {

std::string IdentityId::to_string() const { return to_hex(digest); }

std::optional<IdentityId> IdentityId::parse(std::string_view hex) {
  const auto octets = from_hex(hex);
  IdentityId id;
  if (!octets || octets->size() != id.digest.size()) {
    return std::nullopt;
  }
  std::copy(octets->begin(), octets->end(), id.digest.begin());
  return id;
}

bool Crypto::equal(Bytes a, Bytes b) {
  if (a.size() != b.size()) {
    return false;
  }
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

}  // namespace hearthcast
