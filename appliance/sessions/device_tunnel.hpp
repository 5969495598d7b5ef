// The box's end of one device's tunnel, once it is sealed: answers hello, sends the channel list and every
// change of it, is the querier (MLD, IGMP), asks `access` what each report may have, refuses in words, and
// lets go at once of what the owner takes away. Pure; not thread-safe. What the device sends is authenticated
// but not trusted: bad input is counted and dropped.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "appliance/access/access.hpp"
#include "appliance/sessions/held_flows.hpp"
#include "appliance/sessions/inner_plan.hpp"
#include "appliance/sessions/narrow_paths.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/membership/subscription.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"
#include "tunnelmgr/tunnel/control_transport.hpp"
#include "tunnelmgr/tunnel/reach.hpp"
#include "tunnelmgr/tunnel/unicast.hpp"

namespace hearthcast::sessions {

// One GRE packet for the device.
struct SendInner {
  Buffer gre;
};
// What the device watches changed; read it from watching().
struct WatchingChanged {};
// The device says how its packets travel: relayed_because().
struct PathChanged {};
// Nothing more to say: remove the session. Comes once, last.
struct CloseTunnel {
  std::string reason;
};

using TunnelAction = std::variant<SendInner, WatchingChanged, PathChanged, CloseTunnel>;
using TunnelActions = std::vector<TunnelAction>;

struct BoxFacts {
  std::string software;
  std::string name;
  tunnel::Capabilities capabilities{};     // what this box's hello lists
  std::optional<InnerPlan> inner{};        // the addresses inside the tunnel; none: link-local ones only
  std::function<tunnel::Reach()> reach{};  // where this box is now; none: devices are not told
};

struct TunnelCounters {
  std::uint64_t malformed = 0;  // inner packets and control messages that mean nothing
  std::uint64_t refused = 0;    // reports that were answered by a refusal
  std::uint64_t congested = 0;  // flows that were cut because the path did not carry them
};

class DeviceTunnel {
 public:
  // How long a farewell waits for its acknowledgement before the session is cut.
  static constexpr std::chrono::milliseconds kFarewell{1000};

  DeviceTunnel(const IdentityId& identity, DeviceId device, BoxFacts facts,
               std::shared_ptr<const access::Access> access, Time now);

  [[nodiscard]] TunnelActions on_inner(Bytes gre, Time now);
  [[nodiscard]] TunnelActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // The owner changed something: channels, grants, approval.
  [[nodiscard]] TunnelActions on_access(std::shared_ptr<const access::Access> access, Time now);
  // Data of a flow came for the first time or again, or ceased.
  void on_signal(const FlowKey& flow, bool present, Time now) { held_.on_signal(flow, present, now); }
  // The box is to be found elsewhere, perhaps.
  [[nodiscard]] TunnelActions on_reach(Time now);
  // Says farewell with a notice, then closes.
  [[nodiscard]] TunnelActions end(tunnel::NoticeCode code, const std::string& text, Time now);

  [[nodiscard]] std::set<FlowKey> watching() const { return held_.watching(); }
  [[nodiscard]] std::map<FlowKey, Time> watching_since() const { return held_.watching_since(); }
  [[nodiscard]] const std::string& device_software() const { return device_software_; }
  // What the device's hello listed; empty until it came.
  [[nodiscard]] const tunnel::Capabilities& device_capabilities() const { return device_capabilities_; }
  // How its media go, as its hello asked for it.
  [[nodiscard]] tunnel::Form encapsulation() const { return encapsulation_; }
  // The addresses at which it and the box's own kernel may meet: of an approved device that said hello and
  // has an interface for them.
  [[nodiscard]] std::optional<tunnel::InnerAddresses> inner() const;
  // Where in the home network it may go from there.
  [[nodiscard]] HomeHosts home_hosts() const {
    return inner() ? access_->home_hosts_of(identity_) : HomeHosts();
  }
  // Why its packets go through a relay, in its words; empty: they do not, or it did not say.
  [[nodiscard]] const std::string& relayed_because() const { return relayed_because_; }
  [[nodiscard]] const TunnelCounters& counters() const { return counters_; }
  // IGMP first, then MLD.
  [[nodiscard]] std::array<membership::RouterStatus, 2> memberships(Time now) const {
    return {routers_[0].status(now), routers_[1].status(now)};
  }

 private:
  using Report = membership::Subscription;
  struct ByGroup {
    bool operator()(const Report& one, const Report& other) const {
      return std::tie(one.group, one.source) < std::tie(other.group, other.source);
    }
  };

  void on_unicast(const tunnel::UnicastPacket& packet, Bytes ip_packet, TunnelActions& out);
  void on_control(Bytes payload, Time now, TunnelActions& out);
  void on_message(const tunnel::ControlMessage& message, Time now, TunnelActions& out);
  void perform(membership::Actions actions, Time now, TunnelActions& out);
  void perform(tunnel::ControlActions actions, Time now, TunnelActions& out);
  void say(const tunnel::ControlMessage& message, Time now, TunnelActions& out);
  void say_hello(Time now, TunnelActions& out);
  void say_channels(Time now, TunnelActions& out);
  void say_reach(Time now, TunnelActions& out);
  void say_home_hosts(Time now, TunnelActions& out);
  void refuse(const access::Refusal& refusal, const FlowKey& flow, Time now, TunnelActions& out);
  // What the listener wants of a group from now on. True when that is more or less than before.
  bool take(const membership::FilterChanged& change, Time now, TunnelActions& out);
  // `asked`: by a report just now; else because the owner changed something.
  void decide(const Report& report, bool asked, Time now, TunnelActions& out);
  void gather(Time now, TunnelActions& out);
  void tell_of_silence(Time now, TunnelActions& out);
  // The circuit breaker of RFC 8084, ingress: cuts a flow that does not get through.
  void on_congestion(const tunnel::Congestion& congestion, Time now, TunnelActions& out);
  void refuse(const tunnel::Refusal& refusal, Time now, TunnelActions& out);
  void close(const std::string& reason, TunnelActions& out);

  IdentityId identity_;
  DeviceId device_;
  BoxFacts facts_;
  std::shared_ptr<const access::Access> access_;
  tunnel::ControlTransport transport_;
  std::array<membership::Router, 2> routers_;  // by Family

  std::optional<tunnel::InnerAddresses> inner_;
  tunnel::UnicastEnds ends_;

  bool greeted_ = false;
  std::uint64_t channels_revision_ = 0;  // of the list that the device has
  std::optional<tunnel::Reach> said_reach_;
  std::optional<HomeHosts> said_home_hosts_;
  std::optional<access::RefusalCode> standing_;
  std::map<Report, FlowSet, ByGroup> reports_;  // what each state of the listener was granted
  NarrowPaths narrow_;
  HeldFlows held_;
  std::string device_software_;
  std::string relayed_because_;
  tunnel::Capabilities device_capabilities_;
  tunnel::Form encapsulation_ = tunnel::Form::kGre;
  int unheard_refusals_ = 0;
  Time close_at_ = kNever;
  std::string close_reason_;
  bool closed_ = false;
  TunnelCounters counters_;
};

}  // namespace hearthcast::sessions
