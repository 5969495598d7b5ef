// The times of an ICE agent; the defaults are those of docs/protocol/ice.md and of the RFCs that it cites.
#pragma once

#include "tunnelmgr/base/time.hpp"

namespace hearthcast::nat {

struct Timing {
  Duration pacing = std::chrono::milliseconds{50};    // Ta, RFC 8445 section 14.2
  Duration rto = std::chrono::milliseconds{500};      // between checks of a pair that did not answer yet
  Duration active = std::chrono::seconds{5};          // how long a new candidate is tried at that rate
  Duration back_off_first = std::chrono::seconds{2};  // then ever more rarely,
  Duration back_off_last = std::chrono::seconds{30};  // for ever
  Duration nomination_wait =
      std::chrono::milliseconds{100};                   // for a better pair than the first that answered
  Duration better_path = std::chrono::seconds{30};      // spare pairs are checked that often
  Duration consent_interval = std::chrono::seconds{5};  // RFC 7675 section 5.1
  Duration consent_expiry = std::chrono::seconds{30};   // RFC 7675 section 5.1
  Duration consent_retry = std::chrono::seconds{1};     // after an unanswered consent check
  int suspect_after = 3;                                // unanswered checks in a row: look for another path
  Duration lurk_interval = std::chrono::seconds{15};    // to the last endpoint after consent was lost,
  Duration lurk_for = std::chrono::hours{24};           // for that long

  // While nothing travels by the path: the controlling end checks it between these, in time for NATs that
  // forget after 30 s. The other end checks then, too; by itself when it was not checked for so long.
  Duration idle_least = std::chrono::seconds{20};
  Duration idle_most = std::chrono::seconds{25};
  Duration idle_patience = std::chrono::milliseconds{26'500};
};

}  // namespace hearthcast::nat
