// The routes of the settings: which of them a packet's group and source match.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "appliance/proxy/settings.hpp"

namespace hearthcast::proxy {

class StaticRoutes {
 public:
  explicit StaticRoutes(std::vector<StaticRoute> routes) : routes_(std::move(routes)) {}

  // The interface that the first matching route begins at; nullptr: none matches. A source of nullopt matches
  // only routes of any source.
  [[nodiscard]] const std::string* from(const IpAddress& group, const std::optional<IpAddress>& source) const;
  // Where all matching routes lead that begin there.
  [[nodiscard]] std::set<std::string> to(const std::string& from, const IpAddress& group,
                                         const std::optional<IpAddress>& source) const;

  // Single sources that routes name for this very group.
  [[nodiscard]] std::set<IpAddress> sources_of(const IpAddress& group) const;
  // Whether a route names this very group, from any source.
  [[nodiscard]] bool any_source_of(const IpAddress& group) const;
  // Groups that are named singly.
  [[nodiscard]] std::set<IpAddress> groups() const;

 private:
  std::vector<StaticRoute> routes_;
};

}  // namespace hearthcast::proxy
