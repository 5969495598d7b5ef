// One proxy instance: upstreams, downstreams and tunnels, the membership database over them, and the routes
// that follow from it (RFC 4605 section 4). A part of Proxy, which finds the instance that an input concerns.
//
// Inputs append the actions that they cause.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "appliance/proxy/actions.hpp"
#include "appliance/proxy/channel.hpp"
#include "appliance/proxy/counters.hpp"
#include "appliance/proxy/group_merge.hpp"
#include "appliance/proxy/interface.hpp"
#include "appliance/proxy/member.hpp"
#include "appliance/proxy/policy.hpp"
#include "appliance/proxy/route_table.hpp"
#include "appliance/proxy/settings.hpp"
#include "appliance/proxy/static_routes.hpp"
#include "appliance/proxy/status.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::proxy {

class Instance {
 public:
  using Wishes = std::map<IpAddress, SourceFilter>;

  Instance(InstanceId id, InstanceSettings settings, const Capabilities& capabilities);

  [[nodiscard]] const std::string& name() const { return settings_.name; }
  [[nodiscard]] InstanceId id() const { return id_; }
  [[nodiscard]] bool serves_tunnels() const { return settings_.tunnels != TunnelPolicy::kNone; }
  [[nodiscard]] Member* member(InterfaceIndex index) { return members_.find(index); }

  // Both in this order, each for all instances before the next: what vanished makes room for what appeared.
  void drop_vanished(std::span<const Interface> interfaces, Time now, Actions& actions);
  void take_interfaces(std::span<const Interface> interfaces, Time now, Actions& actions);
  void refuse(Member& member, std::string why, Time now, Actions& actions);

  void set_filter(const DownstreamId& downstream, const IpAddress& group, SourceFilter filter, Time now,
                  Actions& actions);
  void forget(const DownstreamId& downstream, Time now, Actions& actions);
  void choose(std::span<const Channel> channels, Time now, Actions& actions);
  [[nodiscard]] std::map<PeerId, Wishes> tunnel_wishes() const;

  void set_querier(Member& downstream, Family family, bool self, std::optional<IpAddress> querier, Time now,
                   Actions& actions);
  void on_query(Member& upstream, const QuerySeen& query, Time now, Actions& actions);

  void on_data(Member& input, const IpAddress& source, const IpAddress& group, Time now, Actions& actions);
  void on_wrong_interface(Member& input, const IpAddress& source, const IpAddress& group, Time now,
                          Actions& actions);
  void on_traffic(const RouteKey& key, const Traffic& total, Time now) {
    routes_.on_traffic(key, total, now);
  }
  void on_flow(const IpAddress& group, const IpAddress& source, const Traffic& total, Time now);

  void on_deadline(Time now, Actions& actions);
  [[nodiscard]] Time next_deadline() const;

  void reconfigure(InstanceSettings settings, Time now, Actions& actions);  // take_interfaces() comes after
  void close(Actions& actions);

  [[nodiscard]] std::optional<InterfaceIndex> upstream_of(const IpAddress& group,
                                                          const std::optional<IpAddress>& source) const;
  [[nodiscard]] InstanceStatus status(Time now) const;

 private:
  struct Flow {  // received by the data plane
    Traffic traffic;
    std::optional<Time> moved = {};
  };
  struct Group {
    std::map<DownstreamId, SourceFilter> wished = {};    // as the downstreams said
    GroupMerge merge = {};                               // after rules and boundaries
    std::map<std::string, SourceFilter> static_on = {};  // static joins that name their upstream
    std::map<InterfaceIndex, SourceFilter> told = {};    // what each upstream was told
    std::map<IpAddress, Flow> flows = {};
    std::optional<Time> since = {};  // when it was first dealt with
    [[nodiscard]] bool empty() const {
      return wished.empty() && merge.empty() && static_on.empty() && told.empty();
    }
  };
  struct Sighting {  // of a packet where it was not expected
    RouteKey key;
    InterfaceIndex input;
    Time at{};
  };

  // Whether anything but tunnels is served: only then is there a kernel table.
  [[nodiscard]] bool routing() const { return !settings_.downstreams.empty(); }
  [[nodiscard]] Restricted restricted(const DownstreamId& downstream, const IpAddress& group,
                                      const SourceFilter& wished) const;
  bool apply(const DownstreamId& downstream, const IpAddress& group, Group& state);
  void apply_all(const DownstreamId& downstream);
  bool find_same_link(std::span<const Interface> interfaces, Actions& actions);  // true when any came or went
  std::set<IpAddress> erase_wishes(const DownstreamId& downstream);
  void detach(Member& member);  // it has no interface any more
  void leave_all(Member& upstream, Actions& actions);
  void set_static_joins();

  // Brings upstream memberships and routes in line with everything else: first routes that gain, then joins,
  // then leaves, then routes that lose, over all these groups.
  void refresh(const std::set<IpAddress>& groups, Time now, Actions& actions);
  void refresh_all(Time now, Actions& actions);
  void update_memberships(const IpAddress& group, Group& state, Time now, Actions& actions);
  void update_routes(const IpAddress& group, Time now, RouteActions& actions);
  // `asked_for`: some link names the source. `seen_at`: where a packet of it just came in.
  void update_route(const RouteKey& key, bool asked_for, std::optional<InterfaceIndex> seen_at, Time now,
                    RouteActions& actions);
  [[nodiscard]] std::set<IpAddress> named_sources(const IpAddress& group) const;
  [[nodiscard]] const Member* input_of(const IpAddress& group, const IpAddress& source) const;
  [[nodiscard]] std::vector<RouteOutput> outputs_of(const IpAddress& group, const IpAddress& source,
                                                    const Member& input) const;
  [[nodiscard]] bool has_any_source_route(const IpAddress& group) const;
  [[nodiscard]] bool named_by_tunnels(const RouteKey& key) const;
  void count_unforwarded(const RouteKey& key);
  void tell_evictions(Time now, Actions& actions);

  void shut_off_looped(const IpAddress& address, const Member& upstream, Time now, Actions& actions);
  void tell_other_querier(const Member& downstream, Family family, Time now, Actions& actions) const;
  [[nodiscard]] bool same_router(const Member& upstream, const Member& downstream, Family family,
                                 Time now) const;

  void append_interfaces(InstanceStatus& status, Time now) const;
  void append_groups(InstanceStatus& status, Time now) const;
  void append_routes(InstanceStatus& status, Time now) const;
  void diagnose_interfaces(std::vector<Diagnosis>& found, Time now) const;
  void diagnose_upstream(const Member& member, std::vector<Diagnosis>& found, Time now) const;
  void diagnose_downstream(const Member& member, std::vector<Diagnosis>& found, Time now) const;
  void diagnose_groups(std::vector<Diagnosis>& found, Time now) const;

  InstanceId id_;
  InstanceSettings settings_;
  Capabilities capabilities_;
  Policy policy_;
  StaticRoutes static_routes_;
  Members members_;
  RouteTable routes_;
  std::map<IpAddress, Group> groups_;
  std::map<DownstreamId, std::set<IpAddress>> groups_of_;  // that it wished for
  DropCounters drops_;
  std::uint64_t upstream_changes_ = 0;
  std::optional<Sighting> wrong_;
  std::uint64_t evictions_told_ = 0;
  std::optional<Time> limit_told_;
};

}  // namespace hearthcast::proxy
