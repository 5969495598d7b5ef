#include "appliance/app/upstream.hpp"

#include <algorithm>

namespace hearthcast::app {

using linux::Interface;

Result<Interface, Failure> pick_upstream(const std::vector<Interface>& interfaces, const std::string& wished,
                                         const std::vector<unsigned>& default_routes) {
  if (!wished.empty()) {
    const auto named = std::ranges::find(interfaces, wished, &Interface::name);
    if (named == interfaces.end()) {
      return Failure{
          "There is no interface " + wished +
          ". Set network.upstream_interface to the one that the provider's television arrives on."};
    }
    return *named;
  }
  for (const unsigned index : default_routes) {
    if (const auto found = std::ranges::find(interfaces, index, &Interface::index);
        found != interfaces.end()) {
      return *found;
    }
  }
  const auto usable = [](const Interface& i) { return i.up && i.multicast && !i.loopback; };
  if (std::ranges::count_if(interfaces, usable) == 1) {
    return *std::ranges::find_if(interfaces, usable);
  }
  return Failure{
      "It is not clear which interface the provider's television arrives on. Set "
      "network.upstream_interface."};
}

bool Upstream::refresh() {
  auto listed = linux::list_interfaces();
  if (!listed) {
    interface_ = listed.error();
    return true;
  }
  interfaces_ = std::move(*listed);
  std::erase_if(interfaces_, linux::is_inside_tunnels);
  std::vector<unsigned> routes;
  routes_ = linux::default_routes();
  for (const auto& index : {routes_.ip4, routes_.ip6}) {
    if (index) {
      routes.push_back(*index);
    }
  }
  auto picked = pick_upstream(interfaces_, wished_, routes);
  const bool same =
      picked && interface_ && picked->index == interface_->index && picked->running == interface_->running;
  interface_ = std::move(picked);
  return !same;
}

Result<std::unique_ptr<linux::MulticastSocket>, Failure> Upstream::join(
    const FlowKey& key, std::optional<unsigned> interface_index) {
  if (!interface_index && !interface_) {
    return interface_.error();
  }
  auto socket = linux::MulticastSocket::join(
      {.flow = key, .interface_index = interface_index ? *interface_index : interface_->index});
  if (!socket) {
    return socket.error();
  }
  return std::make_unique<linux::MulticastSocket>(std::move(*socket));
}

std::vector<IpAddress> Upstream::addresses() const {
  std::vector<IpAddress> all;
  for (const Interface& interface : interfaces_) {
    if (!interface.up || interface.loopback) {
      continue;
    }
    for (const auto& entry : interface.addresses) {
      if (!entry.tentative && !entry.deprecated && !entry.address.is_link_local()) {
        all.push_back(entry.address);
      }
    }
  }
  return all;
}

}  // namespace hearthcast::app
