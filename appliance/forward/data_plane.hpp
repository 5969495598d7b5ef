// The box's data thread: opens what comes on the tunnel's port, frames what comes from the provider once,
// seals it per viewer and sends it in segments. It alone reads the sockets and holds the established
// sessions. How to talk to it: tunnelmgr/datapath/data_plane.hpp; what to say: messages.hpp.
#pragma once

#include "appliance/forward/loop.hpp"
#include "tunnelmgr/datapath/data_plane.hpp"

namespace hearthcast::forward {

using DataPlane = datapath::DataPlane<Loop>;

}  // namespace hearthcast::forward
