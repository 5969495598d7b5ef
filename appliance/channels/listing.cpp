#include "appliance/channels/listing.hpp"

#include "appliance/channels/label.hpp"

namespace hearthcast::channels {
namespace {

Attributes bounded(const Attributes& raw) {
  Attributes kept;
  for (const auto& [key, value] : raw) {
    const std::string clean_key = clean_label(key, kMaxNameCharacters);
    if (!clean_key.empty() && kept.size() < kMaxAttributes) {
      kept[clean_key] = clean_label(value, kMaxAttributeCharacters);
    }
  }
  return kept;
}

}  // namespace

Result<Listing, Failure> check_listing(Listing listing) {
  const FlowKey& flow = listing.flow;
  const std::string group = flow.group.to_string();
  if (!flow.group.is_multicast()) {
    return Failure{group +
                   " is not a multicast address; a channel's address lies in 224.0.0.0/4 or ff00::/8"};
  }
  if (flow.group.is_link_scope_multicast()) {
    return Failure{group + " never leaves its own link and cannot be carried; use the provider's address"};
  }
  if (flow.port == 0) {
    return Failure{"the port is missing; write " + group + " with the port that the provider sends to"};
  }
  if (flow.source) {
    const IpAddress& source = *flow.source;
    if (source.family() != flow.group.family()) {
      return Failure{"source " + source.to_string() + " and group " + group +
                     " are of different IP versions"};
    }
    if (source.is_multicast() || source.is_unspecified() || source.is_loopback()) {
      return Failure{source.to_string() + " cannot be a source; write the address of the provider's sender"};
    }
  }
  listing.name = clean_label(listing.name, kMaxNameCharacters);
  if (listing.name.empty()) {
    listing.name = flow.to_string();
  }
  listing.attributes = bounded(listing.attributes);
  return listing;
}

}  // namespace hearthcast::channels
