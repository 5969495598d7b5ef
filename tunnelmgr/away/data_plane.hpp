// The away client's data thread: opens what comes on the tunnel's port, keeps it per channel, and writes it
// to the players' sockets. It alone reads the port and holds the established sessions. How to talk to it:
// tunnelmgr/datapath/data_plane.hpp; what to say: messages.hpp.
#pragma once

#include "tunnelmgr/away/loop.hpp"
#include "tunnelmgr/datapath/data_plane.hpp"

namespace hearthcast::away {

using DataPlane = datapath::DataPlane<Loop>;

}  // namespace hearthcast::away
