// What a proxy should have told the kernel, computed from scratch out of everything that it was told: slow,
// simple, and without memory of how it came to be so.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "appliance/proxy/proxy.hpp"

namespace hearthcast::proxy {

struct NaiveRoute {
  InterfaceIndex input;
  std::vector<RouteOutput> outputs = {};
  friend bool operator==(const NaiveRoute&, const NaiveRoute&) = default;
};

struct Naive {
  InstanceSettings settings;
  bool any_source_routes = false;
  std::vector<IpAddress> sources;  // all there are in this world; every rule's prefix holds some and not all
  std::vector<Interface> interfaces = {};
  std::map<DownstreamId, std::map<IpAddress, SourceFilter>> wishes = {};
  std::set<std::pair<std::string, Family>> other_querier = {};
  std::set<std::string> looped = {};
  std::vector<Channel> channels = {};

  using Memberships = std::map<std::pair<InterfaceIndex, IpAddress>, SourceFilter>;
  [[nodiscard]] Memberships memberships() const;
  // nullopt: a packet of it has no interface that it would be taken from.
  [[nodiscard]] std::optional<NaiveRoute> route(const RouteKey& key) const;
  // Routes that must be there although no packet came.
  [[nodiscard]] std::set<RouteKey> standing() const;

  // Whether a tunnel gets this very source.
  [[nodiscard]] bool tunnels_name(const RouteKey& key) const;

  [[nodiscard]] const Interface* find(const std::string& name) const;  // nullptr: absent
  [[nodiscard]] std::string name_of(InterfaceIndex index) const;
  [[nodiscard]] bool usable(const std::string& name) const;

 private:
  [[nodiscard]] SourceFilter merged(const IpAddress& group) const;
  [[nodiscard]] bool stopped(const std::string& name, const IpAddress& group) const;
  [[nodiscard]] bool allows(const std::string& name, const IpAddress& group, const IpAddress& source) const;
  [[nodiscard]] std::size_t allowed_sources(const std::string& name, const IpAddress& group) const;
  [[nodiscard]] std::size_t family_sources(Family family) const;
  [[nodiscard]] SourceFilter effective(const DownstreamId& who, const IpAddress& group,
                                       SourceFilter wished) const;
  [[nodiscard]] std::set<IpAddress> groups() const;
  [[nodiscard]] std::string upstream_for(const IpAddress& group, const IpAddress& source) const;
  [[nodiscard]] std::string input_of(const RouteKey& key) const;
  [[nodiscard]] bool has_any_source_route(const IpAddress& group) const;
};

// Whether a route of the settings concerns this group and source; a source of zeros is any source.
[[nodiscard]] bool concerns(const StaticRoute& route, const RouteKey& key);

}  // namespace hearthcast::proxy
