// How patient the diagnosis is.
#pragma once

#include <chrono>
#include <cstddef>

namespace hearthcast::proxy {

inline constexpr std::chrono::seconds kQuietProvider{300};    // without a query
inline constexpr std::chrono::seconds kPatience{10};          // without a packet
inline constexpr std::chrono::seconds kSightingLifetime{60};  // of something odd
inline constexpr std::size_t kShownFindings = 8;              // of one kind, before the rest is only counted

}  // namespace hearthcast::proxy
