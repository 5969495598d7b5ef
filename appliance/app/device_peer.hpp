// One paired device as the box knows it: its ICE agent, its handshakes, and its tunnel while there is one.
// Holds no socket and no clock: what it wants done goes to its PeerHost. Control thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "appliance/access/access.hpp"
#include "appliance/app/handshake.hpp"
#include "appliance/forward/messages.hpp"
#include "appliance/sessions/device_tunnel.hpp"
#include "appliance/sessions/path_prober.hpp"
#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"

namespace hearthcast {
class Log;
}

namespace hearthcast::app {

class DevicePeer;

// Who runs the peers. Must outlive them; a call may come from inside any call to the peer, which the host
// must not destroy meanwhile.
class PeerHost {
 public:
  virtual ~PeerHost() = default;
  virtual void send(const Endpoint& to, Bytes datagram) = 0;  // on the shared socket
  virtual void post(forward::Down message) = 0;               // to the data thread
  [[nodiscard]] virtual PeerId next_peer() = 0;               // never the same twice
  virtual void on_proven(DevicePeer& peer, const Endpoint& endpoint) = 0;
  virtual void on_path(DevicePeer& peer) = 0;      // selected or lost: read path()
  virtual void on_suspected() {}                   // a path does not answer: it may be the box that moved
  virtual void on_watching(DevicePeer& peer) = 0;  // read watching()
  // The device has these addresses inside its tunnel and is welcome at the box's own, or not (any more).
  // hosts: where in the home network it may go.
  virtual void on_inner(PeerId tunnel, const std::optional<tunnel::InnerAddresses>& addresses,
                        const HomeHosts& hosts) = 0;
  virtual void on_tunnel(DevicePeer& peer,
                         std::optional<PeerId> former) = 0;  // opened, replaced or gone: read tunnel()
};

struct PeerContext {  // what all peers of a box share; outlives them
  const secure::DtlsContext& dtls;
  const Crypto& crypto;
  Random& random;
  Log& log;
  sessions::BoxFacts facts;
  signalling::RelayPolicy relay = signalling::RelayPolicy::kAuto;
};

class DevicePeer {
 public:
  DevicePeer(const access::Device& device, const nat::StandingCredentials& credentials,
             const PeerContext& context, std::shared_ptr<const access::Access> access, PeerHost& host);

  void on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& decoded, Time now);
  // A handshake datagram from an endpoint that this device was proven at, or from that of its session `peer`.
  // False when it was dropped, as one of too many.
  [[nodiscard]] bool on_handshake(const Endpoint& from, PeerId peer, Bytes datagram, Time now);
  void on_inner(PeerId peer, Bytes gre, Time now);
  void on_session_closed(PeerId peer, const std::string& reason, Time now);
  void on_signal(const FlowKey& flow, bool present, Time now);
  // The system refused a datagram of that size to the device.
  void on_refused(PeerId peer, std::size_t datagram, Time now);
  void on_candidates(const std::vector<nat::Candidate>& candidates, Time now);
  void on_access(std::shared_ptr<const access::Access> access, Time now);
  // The box is to be found elsewhere, perhaps: a device that is connected is told.
  void on_reach(Time now);
  // The box, or its router, has another address: does the path still answer?
  void on_network_change(Time now);
  // Where the device was last in a former run of the box.
  void lurk(const Endpoint& last, Time now);
  // Says why, then closes the tunnel; nothing when there is none.
  void end(tunnel::NoticeCode code, const std::string& text, Time now);
  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] DeviceId device() const { return device_; }
  [[nodiscard]] const IdentityId& identity() const { return identity_; }
  [[nodiscard]] nat::Agent& agent() { return agent_; }
  [[nodiscard]] const nat::Agent& agent() const { return agent_; }
  [[nodiscard]] const std::optional<Endpoint>& path() const { return agent_.selected(); }
  // The session's number while a tunnel is up.
  [[nodiscard]] std::optional<PeerId> tunnel() const { return tunnel_ ? std::optional(peer_) : std::nullopt; }
  // The router's side in the tunnel; empty without one.
  [[nodiscard]] std::vector<membership::RouterStatus> routers(Time now) const;
  [[nodiscard]] Time tunnel_since() const { return tunnel_since_; }
  // The largest IP packet that is known to reach the device; nothing without a tunnel, or before probes told.
  [[nodiscard]] std::optional<std::uint16_t> path_mtu() const {
    return tunnel_ ? prober_.path_mtu() : std::nullopt;
  }
  [[nodiscard]] tunnel::Form encapsulation() const {
    return tunnel_ ? tunnel_->encapsulation() : tunnel::Form::kGre;
  }
  [[nodiscard]] std::string relayed_because() const {
    return tunnel_ ? tunnel_->relayed_because() : std::string();
  }
  // Something is watched, from beyond the router.
  [[nodiscard]] bool watches_from_outside() const;
  [[nodiscard]] std::set<FlowKey> watching() const;
  [[nodiscard]] std::map<FlowKey, Time> watching_since() const;

 private:
  // Where the owner wants relays only, nobody outside is answered but who was named as one.
  [[nodiscard]] bool speaks_to(const Endpoint& endpoint) const;
  void perform(const nat::Actions& actions);
  void perform(sessions::TunnelActions actions);
  void perform(const sessions::PathProberActions& actions);
  void perform(Handshake::Step step, Time now);
  void follow(Time now);
  void open(std::unique_ptr<secure::DtlsSession> session, Time now);
  void drop(const std::string& reason, bool close_notify);
  void tell_capabilities();
  void tell_inner();

  DeviceId device_;
  IdentityId identity_;
  const PeerContext& context_;
  std::shared_ptr<const access::Access> access_;
  PeerHost& host_;
  nat::Agent agent_;
  std::vector<Endpoint> relayed_;  // that the last introduction named
  Handshake handshake_;
  std::unique_ptr<sessions::DeviceTunnel> tunnel_;
  sessions::PathProber prober_{secure::kDtlsMaxOverhead};  // of tunnel_
  PeerId peer_;                                            // of tunnel_
  forward::SetMemory told_;                                // what the data thread knows of tunnel_
  tunnel::Form form_told_ = tunnel::Form::kGre;            // the same
  std::optional<tunnel::InnerAddresses> inner_told_;       // what the host knows of tunnel_
  HomeHosts hosts_told_;
  Time tunnel_since_{};
};

}  // namespace hearthcast::app
