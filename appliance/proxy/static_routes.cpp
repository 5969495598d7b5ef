#include "appliance/proxy/static_routes.hpp"

#include <algorithm>

namespace hearthcast::proxy {
namespace {

bool any_source(const StaticRoute& route) { return !route.source || route.source->length == 0; }

bool matches(const StaticRoute& route, const IpAddress& group, const std::optional<IpAddress>& source) {
  return route.group.contains(group) && (any_source(route) || (source && route.source->contains(*source)));
}

bool names(const StaticRoute& route, const IpAddress& group) {
  return route.group.is_single() && route.group.address == group;
}

}  // namespace

const std::string* StaticRoutes::from(const IpAddress& group, const std::optional<IpAddress>& source) const {
  const auto at =
      std::ranges::find_if(routes_, [&](const StaticRoute& r) { return matches(r, group, source); });
  return at == routes_.end() ? nullptr : &at->from;
}

std::set<std::string> StaticRoutes::to(const std::string& from, const IpAddress& group,
                                       const std::optional<IpAddress>& source) const {
  std::set<std::string> all;
  for (const StaticRoute& route : routes_) {
    if (route.from == from && matches(route, group, source)) {
      all.insert(route.to.begin(), route.to.end());
    }
  }
  return all;
}

std::set<IpAddress> StaticRoutes::sources_of(const IpAddress& group) const {
  std::set<IpAddress> sources;
  for (const StaticRoute& route : routes_) {
    if (names(route, group) && route.source && route.source->is_single()) {
      sources.insert(route.source->address);
    }
  }
  return sources;
}

bool StaticRoutes::any_source_of(const IpAddress& group) const {
  return std::ranges::any_of(routes_, [&](const StaticRoute& r) { return names(r, group) && any_source(r); });
}

std::set<IpAddress> StaticRoutes::groups() const {
  std::set<IpAddress> all;
  for (const StaticRoute& route : routes_) {
    if (route.group.is_single()) {
      all.insert(route.group.address);
    }
  }
  return all;
}

}  // namespace hearthcast::proxy
