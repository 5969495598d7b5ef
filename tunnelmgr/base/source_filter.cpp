#include "tunnelmgr/base/source_filter.hpp"

namespace hearthcast {
namespace {

bool admitted_by_any(std::span<const SourceFilter> filters, const IpAddress& source) {
  for (const SourceFilter& filter : filters) {
    if (filter.admits(source)) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string SourceFilter::to_string() const {
  std::string text = mode == FilterMode::kInclude ? "INCLUDE {" : "EXCLUDE {";
  const char* separator = "";
  for (const IpAddress& source : sources) {
    text += separator + source.to_string();
    separator = ", ";
  }
  return text + "}";
}

SourceFilter merge(std::span<const SourceFilter> filters) {
  SourceFilter merged;
  for (const SourceFilter& filter : filters) {
    if (filter.mode == FilterMode::kExclude) {
      merged.mode = FilterMode::kExclude;
    }
  }
  // Only a source that some list names can end up in the merged list.
  for (const SourceFilter& filter : filters) {
    for (const IpAddress& source : filter.sources) {
      if (admitted_by_any(filters, source) == (merged.mode == FilterMode::kInclude)) {
        merged.sources.insert(source);
      }
    }
  }
  return merged;
}

}  // namespace hearthcast
