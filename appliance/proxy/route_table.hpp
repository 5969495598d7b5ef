// The routes of one instance that the kernel was told of: bounded, and gone when nothing needs them.
//
// A route that somebody asked for by its source is pinned and stays. One that a packet brought about is
// learned: it ends when no packet moved it for a while. One without outputs is negative: it spares the kernel
// from asking again, and ends soon. Both kinds have a limit; at the limit the one that would end first makes
// room.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "appliance/proxy/actions.hpp"
#include "appliance/proxy/settings.hpp"
#include "appliance/proxy/status.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::proxy {

inline constexpr std::chrono::seconds kLearnedLifetime{300};
inline constexpr std::chrono::seconds kNegativeLifetime{60};

// What a route should be.
struct WantedRoute {
  InterfaceIndex input;
  std::vector<RouteOutput> outputs = {};  // in order
  bool pinned = false;                    // stays without packets
  bool is_static = false;                 // a static route is part of it
  friend bool operator==(const WantedRoute&, const WantedRoute&) = default;
};

struct Route {
  WantedRoute is;
  Time since{};
  std::optional<Time> moved = {};  // when packets were last known to move
  Traffic traffic = {};
  Time expires = kNever;
  [[nodiscard]] bool negative() const { return is.outputs.empty(); }
};

// What must come before groups are joined, and what only after groups were left.
struct RouteActions {
  Actions before = {};
  Actions after = {};
};

class RouteTable {
 public:
  RouteTable(InstanceId instance, RouteLimits limits) : instance_(instance), limits_(limits) {}

  void set(const RouteKey& key, WantedRoute wanted, Time now, RouteActions& actions);
  void remove(const RouteKey& key, RouteActions& actions);
  void expire(Time now, RouteActions& actions);
  void set_limits(RouteLimits limits, RouteActions& actions);
  [[nodiscard]] Time next_deadline() const;

  // A packet was seen: for a learned or negative route, life begins anew.
  void touch(const RouteKey& key, Time now);
  void on_traffic(const RouteKey& key, const Traffic& total, Time now);

  [[nodiscard]] const Route* find(const RouteKey& key) const;  // nullptr: none
  [[nodiscard]] const std::map<RouteKey, Route>& all() const { return routes_; }
  // The routes of one group, a range of all().
  [[nodiscard]] std::map<RouteKey, Route>::const_iterator begin_of(const IpAddress& group) const;
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

 private:
  using Queue = std::set<std::pair<Time, RouteKey>>;

  [[nodiscard]] Queue* queue_of(const Route& route);  // nullptr: pinned
  void unqueue(const RouteKey& key, const Route& route);
  void queue(const RouteKey& key, Route& route, Time now);
  void keep_within(Queue& queue, std::size_t limit, RouteActions& actions);

  InstanceId instance_;
  RouteLimits limits_;
  std::map<RouteKey, Route> routes_;
  Queue learned_;
  Queue negative_;
  std::uint64_t evicted_ = 0;
};

}  // namespace hearthcast::proxy
