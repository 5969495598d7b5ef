// The multicast plane: runs a membership router on every downstream link, and does to the kernel what the
// proxy decides.
//
// Control thread only; no clock of its own. Without instances it opens nothing but the link of the usual
// upstream, and works without that, too: it needs no privilege. What the machine refuses becomes a trouble in
// words, is logged once, and is tried again where that can help.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "appliance/multicast/downstream.hpp"
#include "appliance/multicast/kernel_tables.hpp"
#include "appliance/multicast/machine.hpp"
#include "appliance/multicast/settings.hpp"
#include "appliance/multicast/status.hpp"
#include "appliance/multicast/upstream_link.hpp"
#include "appliance/proxy/proxy.hpp"

namespace hearthcast {
class Log;
}

namespace hearthcast::multicast {

[[nodiscard]] linux::RouteKey kernel_key(const proxy::RouteKey& key);

class Plane {
 public:
  // How often the kernel's counters are read for the proxy, which lets silent routes go.
  static constexpr std::chrono::seconds kTrafficInterval{10};
  // How long until a membership that the kernel refused is tried again.
  static constexpr std::chrono::seconds kRetry{5};

  // `settings` passed proxy::check(). machine and log outlive the plane.
  Plane(Machine& machine, Log& log, MulticastSettings settings);
  ~Plane();

  // All interfaces of the machine; call it first, and whenever any of them changed.
  void on_interfaces(std::span<const linux::Interface> interfaces, Time now);
  void on_deadline(Time now);

  // All that a device's tunnel gets now, access decided; nothing when it is gone.
  void on_tunnel(PeerId peer, const std::set<FlowKey>& flows, Time now);
  // The catalogue.
  void on_channels(std::vector<proxy::Channel> channels, Time now);
  // Counters so far of a flow that the data plane receives for tunnels.
  void on_flow(const FlowKey& key, const proxy::Traffic& total, Time now);
  // Where flows are received that upstream_for() has no answer for; nullopt: nowhere yet. Call it after
  // on_interfaces(). Joins there are told to the provider at once (upstream_link.hpp), as on the upstreams of
  // instances; without privilege the kernel alone tells them.
  void on_usual_upstream(std::optional<unsigned> index, Time now);
  // A socket has just joined that flow on that interface, and no other flow's had.
  void on_flow_joined(const FlowKey& key, unsigned index, Time now);
  // Where a tunnel's flow is to be received; nullopt: no instance serves tunnels, or none of its upstreams is
  // there.
  [[nodiscard]] std::optional<unsigned> upstream_for(const FlowKey& key) const;

  // `settings` passed proxy::check(). What did not change goes on.
  void reload(MulticastSettings settings, Time now);
  // Leaves every group, then ends forwarding; harmless when repeated.
  void close(Time now);

  // Downstream links on which multicast traceroute is to be answered now.
  [[nodiscard]] std::set<unsigned> traced_links() const;
  // Reads the kernel's counters, too. Without tunnels: whoever has them adds them.
  [[nodiscard]] MulticastStatus status(Time now);

 private:
  struct Usual {  // the usual upstream, while it is no instance's
    proxy::InterfaceIndex index;
    UpstreamLink link;
  };
  struct Refused {  // a membership that the kernel would not take
    SourceFilter filter;
    Time retry;
  };

  void on_upstream_readable(proxy::InterfaceIndex index, Time now);
  void on_downstream_readable(proxy::InterfaceIndex index, Time now);
  void on_table_readable(proxy::InstanceId instance, Family family, Time now);
  // plane_joins.cpp
  void review_usual_upstream();
  void on_joined(proxy::InterfaceIndex index, const IpAddress& group, const SourceFilter& before,
                 const SourceFilter& wanted);

  void begin(Time now) { now_ = now; }
  void finish();  // performs what is queued, then says when to be woken

  // plane_perform.cpp
  void enqueue(proxy::Actions actions);
  void enqueue(proxy::InterfaceIndex index, const Downstream::Sayings& sayings);
  void perform(const proxy::AddInterface& action);
  void perform(const proxy::RemoveInterface& action);
  void perform(const proxy::RemoveInstance& action);
  void perform(const proxy::SetRoute& action);
  void perform(const proxy::RemoveRoute& action);
  void perform(const proxy::SetUpstreamFilter& action);
  void perform(const proxy::ReportAgain& action);
  void perform(const proxy::Alarm& action);
  [[nodiscard]] Result<void, Failure> add(const proxy::AddInterface& action);
  void add_upstream(const proxy::AddInterface& action);
  void set_filter(proxy::InterfaceIndex index, const IpAddress& group, const SourceFilter& filter);
  [[nodiscard]] KernelTables& tables_of(proxy::InstanceId instance);
  [[nodiscard]] Downstream::Settings router_settings(const linux::Interface& interface) const;
  // What is wrong about `what` from now on; "" when nothing is any more. Logged when it changes.
  void trouble(const std::string& what, const std::string& text);

  void read_traffic();
  [[nodiscard]] std::vector<InterfaceTraffic> interface_traffic() const;
  [[nodiscard]] const linux::Interface* interface(proxy::InterfaceIndex index) const;
  [[nodiscard]] Time next_deadline() const;

  Machine& machine_;
  Log& log_;
  MulticastSettings settings_;
  proxy::Proxy proxy_;
  std::vector<linux::Interface> interfaces_;
  std::map<proxy::InterfaceIndex, UpstreamLink> upstreams_;  // of instances
  std::optional<Usual> usual_;
  std::optional<proxy::InterfaceIndex> usual_index_;  // whether its link is open or not
  std::string usual_failure_;                         // as it was logged
  std::map<proxy::InterfaceIndex, Downstream> downstreams_;
  std::map<proxy::InstanceId, KernelTables> tables_;
  std::map<std::pair<proxy::InterfaceIndex, IpAddress>, Refused> refused_;
  std::map<PeerId, std::set<IpAddress>> tunnel_groups_;
  std::map<std::string, std::string> troubles_;
  std::deque<proxy::Action> queue_;
  std::uint64_t over_limit_ = 0;
  std::uint64_t routes_refused_ = 0;
  std::uint64_t unsent_ = 0;  // of downstreams that are gone, as the next
  std::uint64_t overflow_ = 0;
  Time now_{};  // of the call that runs
  Time traffic_at_ = kNever;
  bool closed_ = false;
};

}  // namespace hearthcast::multicast
