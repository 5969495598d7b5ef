// One group's part of the membership database: the merge of what all its listeners want (RFC 4605
// section 4.1), kept up to date by counting, so that a change costs what changed and not what everybody
// wants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "appliance/proxy/ids.hpp"
#include "tunnelmgr/base/source_filter.hpp"

namespace hearthcast::proxy {

// nullopt: the settings' static joins.
using ListenerId = std::optional<DownstreamId>;

class GroupMerge {
 public:
  // Replaces what this listener wants; wanting nothing ends it. False when it was the same before.
  bool set(const ListenerId& listener, SourceFilter filter);

  [[nodiscard]] const std::map<ListenerId, SourceFilter>& listeners() const { return filters_; }
  [[nodiscard]] bool empty() const { return filters_.empty(); }
  [[nodiscard]] SourceFilter merged() const;  // equals merge() of all filters

 private:
  struct Named {
    IpAddress source;
    std::uint32_t included = 0;  // by that many listeners
    std::uint32_t excluded = 0;
  };
  void count(const SourceFilter& filter, bool add);

  std::map<ListenerId, SourceFilter> filters_;
  std::vector<Named> named_;   // in order; one block, since there are many groups
  std::size_t excluding_ = 0;  // listeners in mode EXCLUDE
};

}  // namespace hearthcast::proxy
