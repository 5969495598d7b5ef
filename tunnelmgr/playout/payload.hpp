// What of a provider's datagram is the stream itself: all of it, or what follows an RTP header (RFC 2250).
#pragma once

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::playout {

struct Payload {
  Bytes octets;  // a view into the datagram
  bool rtp = false;
};

// A transport stream begins with 0x47, which no RTP header does, so the two are told apart without being
// told. What is neither is passed on as it is.
[[nodiscard]] Payload payload_of(Bytes datagram);

}  // namespace hearthcast::playout
