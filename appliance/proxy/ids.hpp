// Names of what a proxy deals with: interfaces by index, downstreams, instances.
#pragma once

#include <string>
#include <variant>

#include "tunnelmgr/base/ids.hpp"

namespace hearthcast::proxy {

using InterfaceIndex = Id<struct InterfaceTag>;  // the kernel's; 0 is none
using InstanceId = Id<struct InstanceTag>;       // of a running instance; kept over reloads, never reused

// Somebody who listens below: a LAN link, or a device's tunnel.
using DownstreamId = std::variant<InterfaceIndex, PeerId>;

[[nodiscard]] inline bool is_tunnel(const DownstreamId& id) { return std::holds_alternative<PeerId>(id); }

}  // namespace hearthcast::proxy
