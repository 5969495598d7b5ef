// What a Proxy asks its caller to do. The order matters: routes are set before groups are joined, and groups
// are left before routes go.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "appliance/proxy/ids.hpp"
#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/source_filter.hpp"

namespace hearthcast::proxy {

enum class Role : std::uint8_t { kUpstream, kDownstream };

// From now on this interface is part of an instance. Downstream: run a membership router on the link;
// upstream: listen for queries (Proxy::on_query). `routing`: put it in the instance's kernel table too;
// without it the instance has tunnels only and never sets a route.
struct AddInterface {
  InstanceId instance;
  InterfaceIndex index;
  std::string name;
  Role role = Role::kUpstream;
  bool routing = false;
  friend bool operator==(const AddInterface&, const AddInterface&) = default;
};
// The interface may be gone already, and its memberships with it. Routes that used it were changed before.
struct RemoveInterface {
  InstanceId instance;
  InterfaceIndex index;
  friend bool operator==(const RemoveInterface&, const RemoveInterface&) = default;
};
// The instance was taken out of the settings: close its kernel tables.
struct RemoveInstance {
  InstanceId instance;
  friend bool operator==(const RemoveInstance&, const RemoveInstance&) = default;
};

struct RouteOutput {
  InterfaceIndex index;
  std::uint8_t threshold = 1;
  friend auto operator<=>(const RouteOutput&, const RouteOutput&) = default;
};
// What identifies a route in its instance. A source of zeros (IpAddress::any) stands for any source.
struct RouteKey {
  IpAddress group;
  IpAddress source;
  friend auto operator<=>(const RouteKey&, const RouteKey&) = default;
};
// Installs the route or replaces the one of the same key, also when its input was another. Without outputs it
// only makes the kernel drop what nobody wants.
struct SetRoute {
  InstanceId instance;
  RouteKey key;
  InterfaceIndex input;
  std::vector<RouteOutput> outputs;  // in order of index, never the input
  friend bool operator==(const SetRoute&, const SetRoute&) = default;
};
struct RemoveRoute {
  InstanceId instance;
  RouteKey key;
  InterfaceIndex input;
  friend bool operator==(const RemoveRoute&, const RemoveRoute&) = default;
};

// Makes the upstream membership of the group this; wanting nothing leaves it. Comes once per change.
struct SetUpstreamFilter {
  InterfaceIndex index;
  IpAddress group;
  SourceFilter filter;
  friend bool operator==(const SetUpstreamFilter&, const SetUpstreamFilter&) = default;
};
// The link's other end may have forgotten: report every membership of this interface anew.
struct ReportAgain {
  InterfaceIndex index;
  friend bool operator==(const ReportAgain&, const ReportAgain&) = default;
};

enum class AlarmCode : std::uint8_t {
  kLoop,  // own query heard upstream: that downstream is shut off
  kLoopEnded,
  kSameRouter,        // one router heard on both sides; only a suspicion
  kTableFull,         // more interfaces than a kernel table holds
  kInterfaceRefused,  // the kernel would not take it
  kOlderQuerier,      // the provider's querier cannot be told sources
  kOtherQuerier,      // another router is querier on a downstream
  kRouteLimit,
};
[[nodiscard]] std::string_view code_text(AlarmCode code);  // loop, loop_ended, ...

// For the log. Comes when it begins, not again while it lasts.
struct Alarm {
  AlarmCode code;
  std::string text;
  friend bool operator==(const Alarm&, const Alarm&) = default;
};

using Action = std::variant<AddInterface, RemoveInterface, RemoveInstance, SetRoute, RemoveRoute,
                            SetUpstreamFilter, ReportAgain, Alarm>;
using Actions = std::vector<Action>;

}  // namespace hearthcast::proxy
