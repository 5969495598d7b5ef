#include "tunnelmgr/mcast/link.hpp"

#include <algorithm>

namespace hearthcast::mcast {

Result<linux::Interface, Failure> pick_interface(const std::vector<linux::Interface>& all,
                                                 const std::string& wanted,
                                                 std::optional<unsigned> default_route) {
  std::string choices;
  std::vector<linux::Interface> able;
  for (const auto& link : all) {
    if (!wanted.empty() && (link.name == wanted || std::to_string(link.index) == wanted)) {
      if (!link.up) {
        return Failure{"interface " + link.name + " is down: ip link set " + link.name + " up"};
      }
      return link;
    }
    if (link.up && link.multicast && !link.loopback) {
      able.push_back(link);
      choices += " " + link.name;
    }
  }
  if (!wanted.empty()) {
    return Failure{"there is no interface '" + wanted +
                   "'; these are up and do multicast:" + (choices.empty() ? " none" : choices)};
  }
  const auto on_route =
      std::ranges::find_if(able, [&](const auto& link) { return link.index == default_route; });
  if (on_route != able.end()) {
    return *on_route;
  }
  if (able.size() == 1) {
    return able.front();
  }
  return Failure{able.empty() ? "no interface is up and does multicast"
                              : "say --interface NAME; these are up and do multicast:" + choices};
}

Result<linux::Interface, Failure> choose_interface(const std::string& wanted, Family family) {
  const auto all = linux::list_interfaces();
  if (!all) {
    return all.error();
  }
  return pick_interface(*all, wanted, linux::default_route_interface(family));
}

}  // namespace hearthcast::mcast
