// What the multicast plane does now, as values: for the API, the command line, the metrics and the log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "appliance/proxy/status.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/membership/router_status.hpp"

namespace hearthcast::multicast {

struct Drop {
  std::string reason;  // snake_case: a label of the metrics
  std::uint64_t count = 0;
  friend bool operator==(const Drop&, const Drop&) = default;
};

// The router's side of one downstream link, one for each family.
struct LinkRouters {
  proxy::InterfaceIndex index;
  std::vector<membership::RouterStatus> families = {};
};

// What the kernel's multicast routing of one family moved through an interface since it was added.
struct InterfaceTraffic {
  proxy::InterfaceIndex index;
  Family family = Family::kIp6;
  std::uint64_t packets_in = 0;
  std::uint64_t bytes_in = 0;  // of whole IP packets
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_out = 0;
  friend bool operator==(const InterfaceTraffic&, const InterfaceTraffic&) = default;
};

// The router's side for a device away. Also without any instance: whoever is connected is here.
struct TunnelRouters {
  PeerId peer;
  DeviceId device;
  std::vector<membership::RouterStatus> families = {};
};

struct MulticastStatus {
  proxy::Status proxy = {};
  std::vector<LinkRouters> links = {};
  std::vector<TunnelRouters> tunnels = {};
  std::vector<InterfaceTraffic> traffic = {};
  std::vector<std::string> troubles = {};  // what the kernel or the helper refuses now, with what to do
  std::vector<Drop> drops = {};            // of no instance
};

}  // namespace hearthcast::multicast
