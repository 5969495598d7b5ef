// What the callbacks of a DTLS context need to know of the session they are called for; a session keeps it as
// its SSL's app data. Only for the .cpp files of this folder.
#pragma once

#include <array>

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::secure {

// The ALPN list of one name, "hearthcast/1": length octet first (RFC 7301 section 3.1).
inline constexpr std::array<std::uint8_t, 13> kDtlsAlpn = {12,  'h', 'e', 'a', 'r', 't', 'h',
                                                           'c', 'a', 's', 't', '/', '1'};

struct DtlsPeer {
  IdentityId expected;
  bool wrong_key = false;  // the peer showed another key
};

}  // namespace hearthcast::secure
