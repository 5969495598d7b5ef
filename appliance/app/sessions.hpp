// All devices of the box: sorts what the data thread hands up, runs one DevicePeer each, and turns what they
// watch into flows and viewers of the data plane. No socket, no clock, no Asio: SessionLoop drives it.
// Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "appliance/app/device_peer.hpp"
#include "appliance/multicast/status.hpp"
#include "appliance/sessions/change_pace.hpp"
#include "appliance/sessions/flow_table.hpp"
#include "tunnelmgr/nat/presence.hpp"
#include "tunnelmgr/nat/responder.hpp"

namespace hearthcast::app {

// What Sessions needs of the world outside.
struct SessionPorts {
  std::function<void(const Endpoint& to, Bytes datagram)> send;
  std::function<void(forward::Down)> post;
  // Joins upstream; a Failure is tried again every kRejoin.
  std::function<Result<std::unique_ptr<linux::MulticastSocket>, Failure>(const FlowKey&)> join;
  // Gives the socket of a flow, which is the data thread's by now, the receive buffer that it wishes for. Its
  // data come: asking the helper takes a trip there and back, which a join is not to wait for.
  std::function<void(int fd, std::size_t octets)> enlarge = [](int, std::size_t) {};
  // All that this tunnel gets now; nothing when it is gone.
  std::function<void(PeerId, const std::set<FlowKey>&)> watching = [](PeerId, const auto&) {};
  // A tunnel whose device is welcome at the box's own addresses in there, or is not (any more); and where in
  // the home network it may go from there.
  std::function<void(PeerId, const std::optional<tunnel::InnerAddresses>&, const HomeHosts&)> inner =
      [](PeerId, const auto&, const auto&) {};
  // Data of a flow that is carried came, or a second passed without.
  std::function<void(const FlowKey&, bool present)> signal = [](const FlowKey&, bool) {};
  // The device is connected there now: worth storing.
  std::function<void(DeviceId, const Endpoint&)> remember;
  // This box's endpoint as the rendezvous sees it changed, or presence got lost (nullopt).
  std::function<void(const std::optional<Endpoint>&)> mapped;
  // Something that the API shows changed: devices connected, viewers, signals.
  std::function<void()> changed;
};

struct DeviceStatus {
  DeviceId device;
  bool connected = false;
  std::optional<Endpoint> path;
  std::optional<nat::CandidateType> path_type;
  std::optional<Duration> round_trip;
  std::optional<std::uint16_t> path_mtu{};  // the largest IP packet that is known to arrive
  std::string relayed_because{};            // in the device's words
  tunnel::Form encapsulation = tunnel::Form::kGre;
  std::optional<PeerId> peer;
  Time since{};                      // connected
  std::optional<Time> last_seen;     // when it is not connected any more
  std::map<FlowKey, Time> watching;  // and since when
};

struct FlowStatus {
  FlowKey key;
  FlowId id;
  Time started{};
  bool signal = false;
  std::string failure;           // why there is no upstream join; empty when there is
  unsigned interface_index = 0;  // where it was joined last; 0: nowhere yet
  FlatSet<PeerId> viewers;
  forward::FlowCounters counters;  // zero until the first statistics
};

struct SessionCounters {
  std::uint64_t stun_unknown = 0;        // no agent, or it did not decode
  std::uint64_t handshake_unproven = 0;  // from endpoints that nobody vouched for
  std::uint64_t handshake_too_many = 0;  // ClientHellos of one device, or in its name, that came too soon
};

class Sessions final : public PeerHost {
 public:
  static constexpr std::chrono::seconds kRejoin{5};

  Sessions(const PeerContext& context, const Identity& identity, SessionPorts ports);
  ~Sessions() override;

  // The owner changed devices, grants or channels; also the first call, with what the store holds.
  void on_access(std::shared_ptr<const access::Access> access, Time now);
  void on_up(forward::Up message, Time now);
  // Several inputs that wait together: joins, leaves and viewers follow from what they come to in the end.
  void burst(const std::function<void()>& inputs);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // Addresses or links of this machine changed: asks for the mapping, and checks the paths in use.
  void on_network_change(Time now);
  // The router's address or mapping changed: checks the paths in use.
  void check_paths(Time now);
  // It can introduce devices, or cannot: then the filters of the router are kept open for them.
  void on_rendezvous(bool here, Time now);
  // The upstream interface is another one, or its link is back: joins anew what runs.
  void on_upstream_change(Time now);

  // This box may be found elsewhere now (PeerContext's facts say where): tells the devices.
  void on_reach(Time now);
  // From a former run.
  void lurk(DeviceId device, const Endpoint& last, Time now);
  // From a verified introduction; filtered here. beyond: the box's own ways to the same device, of
  // wire/channel_endpoint.hpp.
  void on_candidates(const IdentityId& device, const std::vector<nat::Candidate>& offered, Time now,
                     const std::vector<nat::Candidate>& beyond = {});
  void start_presence(nat::PresenceAccount account, Time now);
  void stop_presence() { presence_.stop(); }
  // Somebody beside the devices' tunnels who gets flows (the players at home of one device, a foreign peer):
  // known by a number of its own, and all that it gets from now on.
  [[nodiscard]] PeerId new_listener() { return next_peer(); }
  void watch(PeerId listener, const std::set<FlowKey>& flows, Time now);
  // The flow's number while it is carried, and whether data comes.
  [[nodiscard]] std::optional<FlowId> flow(const FlowKey& key) const;
  [[nodiscard]] bool has_signal(const FlowKey& key) const;
  // Another flow that is joined on that interface has all that this one wants of the provider.
  [[nodiscard]] bool is_joined_beside(const FlowKey& key, unsigned interface_index) const;
  // The box goes down: tells every device.
  void end_all(Time now);

  // A device's path leads through this box's relay.
  [[nodiscard]] bool uses_relay() const;
  [[nodiscard]] const std::optional<Endpoint>& mapped() const { return presence_.mapped(); }
  [[nodiscard]] std::vector<DeviceStatus> devices() const;
  [[nodiscard]] std::vector<FlowStatus> flows() const;
  [[nodiscard]] const FlowKey* flow(FlowId id) const { return flows_.find(id); }  // nullptr: not carried
  // The router's side in every tunnel that is up.
  [[nodiscard]] std::vector<multicast::TunnelRouters> routers(Time now) const;
  [[nodiscard]] const forward::Statistics* statistics() const { return statistics_.get(); }
  [[nodiscard]] const SessionCounters& counters() const { return counters_; }

 private:
  void send(const Endpoint& to, Bytes datagram) override;
  void post(forward::Down message) override;
  PeerId next_peer() override { return PeerId{++last_peer_}; }
  void on_proven(DevicePeer& peer, const Endpoint& endpoint) override;
  void on_path(DevicePeer& peer) override;
  void on_suspected() override;
  void on_watching(DevicePeer& peer) override;
  void on_inner(PeerId tunnel, const std::optional<tunnel::InnerAddresses>& addresses,
                const HomeHosts& hosts) override {
    ports_.inner(tunnel, addresses, hosts);
  }
  void on_tunnel(DevicePeer& peer, std::optional<PeerId> former) override;

  void on_stun(const datapath::StunReceived& received, Time now);
  void on_handshake(const datapath::HandshakeReceived& received, Time now);
  void on_signal(const forward::FlowSignal& signal, Time now);
  void perform(const nat::PresenceActions& actions);
  void on_knocked(const nat::Knocked& knocked);
  void settle();  // after each input, or burst of them
  std::size_t watch(DevicePeer& peer);
  std::size_t perform(const sessions::FlowActions& actions);  // how many flows began or ended
  void join(FlowId id, const FlowKey& key);
  void update_viewers();
  void update_pace();
  [[nodiscard]] DevicePeer* by_tunnel(PeerId peer);
  [[nodiscard]] DevicePeer* by_endpoint(const Endpoint& endpoint, Time now);
  void sweep();
  void forget(DeviceId id);

  struct Upstream {
    Time started{};
    unsigned interface_index = 0;  // where it was joined last
    bool signal = false;
    int fd = -1;  // of a socket whose receive buffer is still the kernel's
    std::size_t receive_buffer = 0;
  };
  struct Retry {  // of a join that failed
    Time at;
    std::string failure;
  };

  void enlarge(Upstream& upstream);

  const PeerContext& context_;
  const Identity& identity_;
  SessionPorts ports_;
  std::shared_ptr<const access::Access> access_;
  std::map<DeviceId, std::unique_ptr<DevicePeer>> peers_;
  std::unordered_map<const nat::Agent*, DevicePeer*> by_agent_;
  std::unordered_map<PeerId, DevicePeer*> by_tunnel_;
  std::unordered_map<Endpoint, DevicePeer*> vouched_;
  nat::Responder responder_;
  nat::Presence presence_;
  sessions::FlowTable flows_;
  std::map<DeviceId, Time> last_seen_;
  std::unordered_map<FlowId, Upstream> upstream_;
  std::map<FlowId, Retry> retries_;
  std::set<DeviceId> watch_changed_;  // what they watch is not what flows_ has
  DeviceId watched_last_;             // who had its turn last
  std::map<DeviceId, sessions::ChangePace> paces_;
  bool rendezvous_here_ = false;
  bool viewers_changed_ = false;  // since the last settle()
  bool in_burst_ = false;
  std::unique_ptr<const forward::Statistics> statistics_;
  std::int64_t last_peer_ = 0;
  Time sweep_at_ = kNever;
  Time now_{};  // of the call that runs, for the calls back from peers
  SessionCounters counters_;
};

}  // namespace hearthcast::app
