#include "appliance/access/lan_link.hpp"

#include <array>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::access {

std::string make_lan_token(Random& random) {
  std::array<std::uint8_t, 17> secret{};  // 26 symbols are 130 bits
  random.fill(secret);
  return to_crockford(secret, kLanTokenSymbols);
}

std::optional<Sha256> lan_link_of(const Crypto& crypto, std::string_view token) {
  constexpr std::size_t kLongest = 64;  // with hyphens
  const auto symbols = token.size() <= kLongest ? from_crockford(token) : std::nullopt;
  if (!symbols || symbols->size() != kLanTokenSymbols) {
    return std::nullopt;
  }
  return crypto.sha256(*symbols);
}

}  // namespace hearthcast::access
