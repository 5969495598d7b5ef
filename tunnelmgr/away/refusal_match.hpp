// Which wishes a refusal of the box is about.
#pragma once

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::away {

// Ports of 0 stand for all of them: in a refusal, as the box answers a report that names no port, and in a
// wish, which the laptop's kernel makes so. A wish of the kernel for any source means each single one.
[[nodiscard]] inline bool is_about(const FlowKey& refused, const FlowKey& wish) {
  if (refused.group != wish.group) {
    return false;
  }
  const bool of_kernel = wish.port == 0;
  return (refused.port == 0 || of_kernel || refused.port == wish.port) &&
         (!refused.source || (of_kernel && !wish.source) || refused.source == wish.source);
}

}  // namespace hearthcast::away
