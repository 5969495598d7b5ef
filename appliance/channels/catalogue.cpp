#include "appliance/channels/catalogue.hpp"

#include <algorithm>
#include <utility>

#include "appliance/channels/label.hpp"
#include "appliance/channels/listing.hpp"

namespace hearthcast::channels {

Catalogue::Catalogue(std::vector<Channel> in_order, std::uint64_t revision, std::int64_t next_id)
    : channels_(std::move(in_order)), revision_(revision), next_id_(next_id) {
  for (const Channel& channel : channels_) {  // should the stored number be lost: an id is never used twice
    next_id_ = std::max(next_id_, channel.id.value + 1);
  }
  index();
}

void Catalogue::index() {
  by_id_.clear();
  by_group_.clear();
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    by_id_[channels_[i].id] = i;
    by_group_[channels_[i].flow.group].push_back(i);
  }
}

Result<Catalogue::Outcome, Failure> Catalogue::apply(const Listing& listing) {
  auto checked = check_listing(listing);
  if (!checked) {
    return checked.error();
  }
  Listing& wanted = *checked;
  if (const Channel* known = find(wanted.flow)) {
    Channel& channel = channels_[by_id_.at(known->id)];
    if (channel.name == wanted.name && channel.rtp == wanted.rtp && channel.attributes == wanted.attributes) {
      return Outcome{Applied::kUnchanged, channel.id};
    }
    channel.name = std::move(wanted.name);
    channel.rtp = wanted.rtp;
    channel.attributes = std::move(wanted.attributes);
    ++revision_;
    return Outcome{Applied::kUpdated, channel.id};
  }
  if (channels_.size() >= kMaxChannels) {
    return Failure{"the catalogue is full (" + std::to_string(kMaxChannels) +
                   " channels); delete channels that nobody watches"};
  }
  const ChannelId id{next_id_++};
  by_id_[id] = channels_.size();
  by_group_[wanted.flow.group].push_back(channels_.size());
  channels_.push_back({id, wanted.flow, wanted.rtp, std::move(wanted.name), std::move(wanted.attributes)});
  ++revision_;
  return Outcome{Applied::kAdded, id};
}

bool Catalogue::rename(ChannelId id, std::string_view name) {
  const auto at = by_id_.find(id);
  std::string clean = clean_label(name, kMaxNameCharacters);
  if (at == by_id_.end() || clean.empty()) {
    return false;
  }
  if (channels_[at->second].name != clean) {
    channels_[at->second].name = std::move(clean);
    ++revision_;
  }
  return true;
}

bool Catalogue::remove(ChannelId id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) {
    return false;
  }
  channels_.erase(channels_.begin() + static_cast<std::ptrdiff_t>(at->second));
  index();
  ++revision_;
  return true;
}

const Channel* Catalogue::find(ChannelId id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &channels_[at->second];
}

const Channel* Catalogue::find(const FlowKey& flow) const {
  const auto group = by_group_.find(flow.group);
  if (group == by_group_.end()) {
    return nullptr;
  }
  const auto& places = group->second;
  const auto at = std::ranges::find_if(places, [&](std::size_t i) { return channels_[i].flow == flow; });
  return at == places.end() ? nullptr : &channels_[*at];
}

std::vector<const Channel*> Catalogue::matching(const std::optional<IpAddress>& source,
                                                const IpAddress& group) const {
  std::vector<const Channel*> found;
  if (const auto at = by_group_.find(group); at != by_group_.end()) {
    for (const std::size_t i : at->second) {
      if (!source || channels_[i].flow.source == source) {
        found.push_back(&channels_[i]);
      }
    }
  }
  return found;
}

}  // namespace hearthcast::channels
