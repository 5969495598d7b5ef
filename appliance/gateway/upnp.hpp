// One UDP port of the home's router by UPnP (WANIPConnection or WANPPPConnection), through miniupnpc. Calls
// block for seconds: they are for a worker thread. Only the router itself is believed: what describes itself
// or wants to be controlled elsewhere is passed over.
#pragma once

#include <chrono>
#include <string_view>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::gateway {

struct UpnpPort {
  IpAddress router;
  IpAddress own;  // this machine, as the router is to reach it
  std::uint16_t port = 0;
  std::uint16_t external_port = 0;  // of a mapping that is there; 0: the same as `port`, or any free one
};

// Where the port is outside. A Failure says why there is none, for people.
[[nodiscard]] Result<Endpoint, Failure> map_by_upnp(const UpnpPort& wanted, std::chrono::seconds lease);
void unmap_by_upnp(const UpnpPort& mapped);

// Whether that http URL is one of the router's own.
[[nodiscard]] bool is_of(const IpAddress& router, std::string_view url);

}  // namespace hearthcast::gateway
