#include "appliance/proxy/group_merge.hpp"

#include <algorithm>

namespace hearthcast::proxy {

bool GroupMerge::set(const ListenerId& listener, SourceFilter filter) {
  const auto known = filters_.find(listener);
  if (known == filters_.end() ? filter.wants_nothing() : known->second == filter) {
    return false;
  }
  if (known != filters_.end()) {
    count(known->second, false);
    filters_.erase(known);
  }
  if (!filter.wants_nothing()) {
    count(filter, true);
    filters_.emplace(listener, std::move(filter));
  }
  return true;
}

void GroupMerge::count(const SourceFilter& filter, bool add) {
  const bool excludes = filter.mode == FilterMode::kExclude;
  const auto step = [add](auto& n) { n = add ? n + 1 : n - 1; };
  if (excludes) {
    step(excluding_);
  }
  for (const IpAddress& source : filter.sources) {
    auto at = std::ranges::lower_bound(named_, source, {}, &Named::source);
    if (at == named_.end() || at->source != source) {
      at = named_.insert(at, {source});
    }
    step(excludes ? at->excluded : at->included);
    if (at->included == 0 && at->excluded == 0) {
      named_.erase(at);
    }
  }
}

SourceFilter GroupMerge::merged() const {
  SourceFilter result{excluding_ > 0 ? FilterMode::kExclude : FilterMode::kInclude, {}};
  for (const Named& named : named_) {
    const bool kept =
        excluding_ > 0 ? named.included == 0 && named.excluded == excluding_ : named.included > 0;
    if (kept) {
      result.sources.insert(named.source);
    }
  }
  return result;
}

}  // namespace hearthcast::proxy
