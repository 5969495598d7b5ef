// Numbers that name things, each kind a type of its own: passing one for another does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace hearthcast {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  friend auto operator<=>(const Id&, const Id&) = default;
};

using ChannelId = Id<struct ChannelTag>;  // a row of the box's catalogue; also in the tunnel's channel list
using DeviceId = Id<struct DeviceTag>;    // a paired device of this box
using FlowId = Id<struct FlowTag>;        // the GRE key of a carried flow, 32 bits
using PeerId = Id<struct PeerTag>;        // a device's tunnel inside this run of a program; never reused
using PlayerId = Id<struct PlayerTag>;    // an HTTP response that streams; never reused while a program runs

}  // namespace hearthcast

template <class Tag>
struct std::hash<hearthcast::Id<Tag>> {
  std::size_t operator()(const hearthcast::Id<Tag>& id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
