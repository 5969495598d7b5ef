// The times of a TURN client; the defaults follow from the RFCs that it cites.
#pragma once

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::nat {

struct TurnTiming {
  Duration rto = std::chrono::milliseconds{500};               // RFC 8489 section 6.2.1; doubles
  int tries = 7;                                               // Rc of the same section
  int last_wait = 16;                                          // Rm: times rto, after the last try
  Duration reliable_wait = std::chrono::milliseconds{39'500};  // Ti of RFC 8489 section 6.2.2, on streams
  Duration refresh_ahead = std::chrono::minutes{1};       // RFC 8656 section 7.3: before the lifetime ends
  Duration permission_renewal = std::chrono::minutes{4};  // of five, RFC 8656 section 9
  Duration channel_renewal = std::chrono::minutes{8};     // of ten, RFC 8656 section 12
  Duration keepalive = std::chrono::seconds{20};          // for the NAT on the way to the relay
  Duration retry_first = std::chrono::seconds{2};         // after the allocation was lost; doubles
  Duration retry_last = std::chrono::minutes{5};
  Duration refused_wait = std::chrono::minutes{1};  // after 486 and 508: RFC 8656 section 7.4
};

}  // namespace hearthcast::nat
