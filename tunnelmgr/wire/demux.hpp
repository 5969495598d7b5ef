// What a datagram on the shared UDP port is, by its first octets (docs/protocol/ice.md; RFC 7983 has the same
// ranges).
#pragma once

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::wire {

enum class DatagramKind { kStun, kDtls, kOther };

// Cheap enough for every datagram; a promise about the first octets only, not that the rest decodes.
[[nodiscard]] DatagramKind classify(Bytes datagram);

}  // namespace hearthcast::wire
