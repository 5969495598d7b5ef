// A LAN link: the address by which a player at home, that knows nothing of pairing, watches as one of the
// box's devices. Whoever has the address has what the device is granted, so its token is a secret of 128
// bits; the box keeps only a hash of it and shows it once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::access {

inline constexpr std::size_t kLanTokenSymbols =
    26;  // Crockford base32, as people type it on a remote control

[[nodiscard]] std::string make_lan_token(Random& random);

// What the box keeps of it, and looks it up by. However it was typed: case, I for 1, O for 0, hyphens.
// Nothing when it can be nobody's.
[[nodiscard]] std::optional<Sha256> lan_link_of(const Crypto& crypto, std::string_view token);

}  // namespace hearthcast::access
