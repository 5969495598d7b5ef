// The words by which the two hellos of a tunnel say what their sender understands (docs/protocol/tunnel.md).
// A side uses only what the other listed; words that it does not know mean nothing to it.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace hearthcast::tunnel {

using Capabilities = std::vector<std::string>;

inline constexpr std::string_view kCanRepair = "repair";    // gaps are asked for again, by NACK
inline constexpr std::string_view kCanCompact = "compact";  // media without the inner IP header
inline constexpr std::string_view kCanProbe = "probe";      // path probes are answered
inline constexpr std::string_view kCanPrelude = "prelude";  // a late joiner wants what came before
inline constexpr std::string_view kCanTun = "tun";          // wants addresses inside the tunnel

[[nodiscard]] inline bool lists(const Capabilities& capabilities, std::string_view word) {
  return std::find(capabilities.begin(), capabilities.end(), word) != capabilities.end();
}

}  // namespace hearthcast::tunnel
