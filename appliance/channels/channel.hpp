// A channel of the box's catalogue. What it is, is its flow (source, group, port); its name is for people
// only.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"

namespace hearthcast::channels {

inline constexpr std::size_t kMaxNameCharacters = 120;
inline constexpr std::size_t kMaxAttributes = 32;
inline constexpr std::size_t kMaxAttributeCharacters = 1024;
inline constexpr std::size_t kMaxChannels = 20'000;

using Attributes =
    std::map<std::string, std::string>;  // the playlist's extended attributes, as they were written

// What a playlist or a person proposes: a channel without an id.
struct Listing {
  FlowKey flow;
  bool rtp = false;  // the provider puts an RTP header before the transport stream
  std::string name;
  Attributes attributes;
  friend bool operator==(const Listing&, const Listing&) = default;
};

struct Channel {
  ChannelId id;  // given once by the catalogue, never reused
  FlowKey flow;
  bool rtp = false;
  std::string name;  // never empty
  Attributes attributes;
  friend bool operator==(const Channel&, const Channel&) = default;
};

}  // namespace hearthcast::channels
