// The generation of what this box signs and numbers: it rises whenever the box may have been set back, so
// that no number is used twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace hearthcast::store {

// What fits above the counter in the revision of a list for the rendezvous (app/introducer.hpp).
inline constexpr std::int64_t kMaxGeneration = (std::int64_t{1} << 24) - 1;

// The one that a box begins which is restored now: minutes since the year 2026 began, since a count of its
// own would be the same for each restore of one export. nullopt: by that clock it is earlier, or 2057.
[[nodiscard]] std::optional<std::int64_t> generation_at(std::chrono::system_clock::time_point now);

}  // namespace hearthcast::store
