// How people write what they send to or ask for: [SOURCE@]GROUP[:PORT], IPv6 addresses with a port in
// brackets. Without a port: 8123, that of the thesis's mcast.py.
#pragma once

#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::mcast {

inline constexpr std::uint16_t kDefaultPort = 8123;

// Refused with words: no group, a source of another family, port 0.
[[nodiscard]] Result<FlowKey, Failure> parse_flow(const std::string& text);

}  // namespace hearthcast::mcast
