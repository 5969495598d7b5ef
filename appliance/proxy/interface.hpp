// The machine's interfaces and kernel tables as a Proxy is told of them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "appliance/proxy/ids.hpp"
#include "tunnelmgr/base/address.hpp"

namespace hearthcast::proxy {

struct InterfaceAddress {
  IpAddress address;
  unsigned prefix = 0;  // bits of the link's prefix
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};
struct Interface {
  InterfaceIndex index;
  std::string name;
  bool up = false;                               // by configuration, and the link has a carrier
  std::vector<InterfaceAddress> addresses = {};  // usable ones, link-local too
  // The same for all interfaces that this machine itself joins to one link, by a bridge for example; 0: this
  // one is alone on its link.
  InterfaceIndex link = {};
  friend bool operator==(const Interface&, const Interface&) = default;
};

// A query heard on an upstream link.
struct QuerySeen {
  IpAddress source;
  unsigned version = 0;  // IGMP 1 to 3, MLD 1 to 2
};

struct Capabilities {
  bool any_source_routes = false;     // the kernel's tables take (*,G)
  std::size_t table_interfaces = 32;  // that one kernel table holds
};

}  // namespace hearthcast::proxy
