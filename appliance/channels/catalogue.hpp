// The box's channels in the owner's order. A value: copies are independent, so a thread may hold a snapshot.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "appliance/channels/channel.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::channels {

enum class Applied { kAdded, kUpdated, kUnchanged };

class Catalogue {
 public:
  struct Outcome {
    Applied applied;
    ChannelId id;
  };

  Catalogue() = default;
  // As stored: channels in order, ids distinct and below next_id, flows distinct.
  Catalogue(std::vector<Channel> in_order, std::uint64_t revision, std::int64_t next_id);

  // Adds the flow at the end, or updates the channel that has it (its id, place and so its grants stay).
  // Refuses what check_listing refuses, and more than kMaxChannels.
  [[nodiscard]] Result<Outcome, Failure> apply(const Listing& listing);
  // False when there is no such channel, or the name is empty once cleaned.
  [[nodiscard]] bool rename(ChannelId id, std::string_view name);
  [[nodiscard]] bool remove(ChannelId id);

  [[nodiscard]] const Channel* find(ChannelId id) const;  // until the next change
  [[nodiscard]] const Channel* find(const FlowKey& flow) const;
  // The channels that a report for (source, group) can mean. Without a source (any-source join) all channels
  // of the group; with one, only those of exactly this source. In the owner's order; until the next change.
  [[nodiscard]] std::vector<const Channel*> matching(const std::optional<IpAddress>& source,
                                                     const IpAddress& group) const;
  [[nodiscard]] const std::vector<Channel>& channels() const { return channels_; }
  [[nodiscard]] std::uint64_t revision() const { return revision_; }  // grows with every change; from 1
  [[nodiscard]] std::int64_t next_id() const { return next_id_; }

 private:
  void index();

  std::vector<Channel> channels_;
  std::unordered_map<ChannelId, std::size_t> by_id_;
  std::map<IpAddress, std::vector<std::size_t>> by_group_;
  std::uint64_t revision_ = 1;
  std::int64_t next_id_ = 1;
};

}  // namespace hearthcast::channels
