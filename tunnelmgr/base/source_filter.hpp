// What a listener, a link or a whole proxy wants of one multicast group: a filter mode and a source list
// (RFC 3376 section 3.2, RFC 3810 section 4.2).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/flat_set.hpp"

namespace hearthcast {

// A box that serves a large house has each source of each group in several such lists.
using AddressSet = FlatSet<IpAddress>;

enum class FilterMode : std::uint8_t { kInclude, kExclude };

// INCLUDE of nothing, the default, wants nothing. EXCLUDE of nothing wants the group from any source.
struct SourceFilter {
  FilterMode mode = FilterMode::kInclude;
  AddressSet sources = {};

  [[nodiscard]] static SourceFilter any_source() { return {FilterMode::kExclude, {}}; }

  [[nodiscard]] bool wants_nothing() const { return mode == FilterMode::kInclude && sources.empty(); }
  [[nodiscard]] bool admits(const IpAddress& source) const {
    return sources.contains(source) == (mode == FilterMode::kInclude);
  }
  [[nodiscard]] std::string to_string() const;  // INCLUDE {192.0.2.1, 192.0.2.2}
  friend bool operator==(const SourceFilter&, const SourceFilter&) = default;
};

// The least filter that admits what any of them admits: when one excludes, EXCLUDE of the intersection of the
// excluded lists without what others include; else INCLUDE of the union.
[[nodiscard]] SourceFilter merge(std::span<const SourceFilter> filters);

}  // namespace hearthcast
