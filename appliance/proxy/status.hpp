// A proxy's state as people and programs read it: every instance's interfaces, groups, routes, counters, and
// a diagnosis in words. Values, free to keep.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "appliance/proxy/actions.hpp"
#include "appliance/proxy/counters.hpp"
#include "appliance/proxy/settings.hpp"

namespace hearthcast::proxy {

enum class InterfaceState : std::uint8_t {
  kAbsent,  // no interface of that name
  kDown,
  kUp,
  kRefused,  // by the kernel, or the 33rd of its table: see `why`
  kLooped,   // shut off, since it is one link with the upstream: see `why`
};
[[nodiscard]] std::string_view code_text(InterfaceState state);
[[nodiscard]] std::string_view code_text(Role role);  // upstream, downstream

// Upstream: what was heard of the provider's querier. Downstream: who asks there.
struct QuerierStatus {
  bool self = false;                               // downstream: this box is querier
  std::optional<IpAddress> address = {};           // the other one, when it is known
  unsigned version = 0;                            // upstream: of its last query; 0: none heard yet
  std::optional<std::chrono::seconds> heard = {};  // upstream: ago
  bool older = false;                              // upstream: sources cannot be told there now
};

struct InterfaceStatus {
  std::string name;
  InterfaceIndex index;  // 0 while absent
  Role role = Role::kUpstream;
  InterfaceState state = InterfaceState::kAbsent;
  std::string why = {};
  std::uint8_t threshold = 1;
  std::array<QuerierStatus, 2> queriers = {};  // by Family
};

// Packets and octets of one direction of a stream, as fed by Proxy::on_traffic.
struct Traffic {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t wrong_interface = 0;  // packets that came in elsewhere
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

struct ListenerStatus {
  std::optional<DownstreamId> downstream;  // nullopt: a static join
  SourceFilter filter;                     // after rules and boundaries
};
struct UpstreamStatus {
  InterfaceIndex index;
  SourceFilter filter;
};
struct GroupStatus {
  IpAddress group;
  SourceFilter merged;                         // of all listeners
  std::vector<UpstreamStatus> upstreams = {};  // empty: no upstream is there for it
  std::vector<ListenerStatus> listeners = {};
  std::chrono::seconds age{};
  Traffic traffic = {};  // of all its sources
};

enum class RouteKind : std::uint8_t {
  kListened,
  kStatic,
  kTunnelsOnly,  // only tunnels listen: the kernel has nothing to do
  kNegative,     // nobody does
};
[[nodiscard]] std::string_view code_text(RouteKind kind);

struct RouteStatus {
  RouteKey key;
  InterfaceIndex input;
  std::vector<RouteOutput> outputs;
  RouteKind kind = RouteKind::kListened;
  Traffic traffic = {};
  std::chrono::seconds age{};
  std::optional<std::chrono::seconds> idle = {};  // since on_traffic saw it move; nullopt: never
};

enum class Finding : std::uint8_t {
  kInterfaceMissing,
  kUpstreamDown,  // it has no link
  kNoUpstream,    // groups are wanted and no upstream is usable
  kNoQuery,       // the provider asks nothing: a switch between may forget the box
  kNoPackets,     // joined, but nothing arrives
  kOtherSource,   // packets arrive, but from another source
  kOtherQuerier,  // two routers on the LAN, and the other one is querier
  kOlderQuerier,  // source filters are lost upstream
  kLoop,
  kSameRouter,
  kRefused,
  kWrongInterface,  // packets of a source arrive where it is not expected
};
[[nodiscard]] std::string_view code_text(Finding finding);  // no_query, no_packets, ...

struct Diagnosis {
  Finding finding;
  std::string text;  // a sentence for a person, with what to do
  friend bool operator==(const Diagnosis&, const Diagnosis&) = default;
};

struct InstanceStatus {
  InstanceId id;
  std::string name;
  bool send_upstream = false;
  TunnelPolicy tunnels = TunnelPolicy::kNone;
  std::vector<InterfaceStatus> interfaces = {};  // upstreams first, in the order of the settings
  std::vector<GroupStatus> groups = {};          // in order of address
  std::vector<RouteStatus> routes = {};          // in order of group and source
  std::vector<Diagnosis> diagnosis = {};
  DropCounters drops = {};
  std::uint64_t upstream_changes = 0;  // SetUpstreamFilter so far
};

struct Status {
  std::vector<InstanceStatus> instances;
  DropCounters stray;  // of interfaces that no instance has
};

}  // namespace hearthcast::proxy
