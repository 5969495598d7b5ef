// The multicast proxy of RFC 4605: from what each downstream wants to what the kernel is told, for several
// independent instances.
//
// Pure, not thread-safe. Every input returns the actions that it causes, to be performed in their order. The
// caller runs a membership router for each downstream (AddInterface, tunnels), feeds what the kernel reports,
// and calls on_deadline() at next_deadline(). Inputs about interfaces, groups or tunnels that nobody knows
// are counted and change nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "appliance/proxy/actions.hpp"
#include "appliance/proxy/channel.hpp"
#include "appliance/proxy/counters.hpp"
#include "appliance/proxy/interface.hpp"
#include "appliance/proxy/settings.hpp"
#include "appliance/proxy/status.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::proxy {

class Instance;
struct Member;

class Proxy {
 public:
  // `settings` passed check(). No interface is known before the first on_interfaces().
  explicit Proxy(Settings settings, Capabilities capabilities = {});
  ~Proxy();
  Proxy(Proxy&&) noexcept;
  Proxy& operator=(Proxy&&) noexcept;

  // All interfaces of the machine as they are now. Known ones by index: one that returns under its name with
  // another index is another interface. While a downstream is down it counts as wanting nothing.
  [[nodiscard]] Actions on_interfaces(std::span<const Interface> interfaces, Time now);
  // The kernel would not have the interface that AddInterface named. It stays out until it is re-created.
  [[nodiscard]] Actions on_interface_refused(InterfaceIndex index, std::string why, Time now);

  // What the downstream wants of the group now, as its membership router says.
  [[nodiscard]] Actions on_filter(const DownstreamId& downstream, const IpAddress& group, SourceFilter filter,
                                  Time now);
  // It wants nothing any more: the tunnel is closed, or the link's router begins anew.
  [[nodiscard]] Actions on_downstream_gone(const DownstreamId& downstream, Time now);
  // Downstream: whether this box is querier there (until told: yes), and which other address is. Neither,
  // while the link or the box's address there is missing.
  [[nodiscard]] Actions on_querier(InterfaceIndex index, Family family, bool self,
                                   std::optional<IpAddress> querier, Time now);
  // Upstream: any query on the link, the box's own looped ones too.
  [[nodiscard]] Actions on_query(InterfaceIndex index, const QuerySeen& query, Time now);
  // Replaces the list of chosen channels.
  [[nodiscard]] Actions on_channels(std::vector<Channel> channels, Time now);

  // The kernel has no route for a packet.
  [[nodiscard]] Actions on_data(InterfaceIndex input, const IpAddress& source, const IpAddress& group,
                                Time now);
  // A packet of a routed stream came in elsewhere. Never makes a route from there.
  [[nodiscard]] Actions on_wrong_interface(InterfaceIndex input, const IpAddress& source,
                                           const IpAddress& group, Time now);
  // Counters of a route so far. Read them at least every half minute, which keeps routes alive, and before
  // each status(), whose diagnosis they feed.
  void on_traffic(InstanceId instance, const RouteKey& key, const Traffic& total, Time now);
  // Counters so far of a flow that the data plane receives for tunnels.
  void on_flow(const IpAddress& group, const IpAddress& source, const Traffic& total, Time now);

  [[nodiscard]] Actions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;  // kNever when nothing is pending

  // `settings` passed check(). Instances are known by name; what did not change causes no action.
  [[nodiscard]] Actions reload(Settings settings, Time now);
  // Leaves every group, then removes every route and interface: at shutdown. Nothing is known afterwards.
  [[nodiscard]] Actions close(Time now);

  // Which upstream a tunnel's flow is to be received on: by the instance that has tunnels, and its rules.
  [[nodiscard]] std::optional<InterfaceIndex> upstream_for(const IpAddress& group,
                                                           const std::optional<IpAddress>& source) const;
  [[nodiscard]] Status status(Time now) const;

 private:
  struct Owned {
    Instance* instance = nullptr;  // nullptr: nobody's
    Member* member = nullptr;
  };
  [[nodiscard]] Owned owner_of(InterfaceIndex index) const;
  [[nodiscard]] Instance* tunnels_owner() const;

  Capabilities capabilities_;
  std::vector<std::unique_ptr<Instance>> instances_;  // in the order of the settings
  std::vector<Interface> interfaces_;                 // as last told
  std::vector<Channel> channels_;                     // in order
  std::map<PeerId, std::map<IpAddress, SourceFilter>>
      unserved_;  // wishes of tunnels while no instance has them
  std::int64_t next_instance_ = 1;
  DropCounters stray_;  // of no instance
};

}  // namespace hearthcast::proxy
