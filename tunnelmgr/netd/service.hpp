// What hearthcast-netd does for its client, one request after the other.
#pragma once

#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::netd {

inline constexpr std::uint32_t kLargestBuffer = 64U << 20;  // octets; more is refused with EINVAL

// Carries one request out on the descriptor that came with it (negative: none came).
[[nodiscard]] linux::NetdReply perform(const linux::NetdRequest& request, int descriptor);

// Answers requests until the client is gone. A message that is no request ends the service, too: only a
// broken or hostile client sends one. True when the client simply went.
bool serve(int socket);

}  // namespace hearthcast::netd
