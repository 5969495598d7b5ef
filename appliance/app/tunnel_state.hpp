// The inside of TunnelService, shared by its .cpp files.
#pragma once

#include "appliance/app/box_interface.hpp"
#include "appliance/app/box_relay.hpp"
#include "appliance/app/foreign_peers.hpp"
#include "appliance/app/introduction_doubts.hpp"
#include "appliance/app/lan_presence.hpp"
#include "appliance/app/lan_relay.hpp"
#include "appliance/app/live_state.hpp"
#include "appliance/app/tunnel_service.hpp"
#include "appliance/app/upstream.hpp"
#include "appliance/forward/data_plane.hpp"
#include "appliance/gateway/port_mapper.hpp"
#include "appliance/multicast/linux_machine.hpp"
#include "appliance/multicast/plane.hpp"
#include "appliance/trace/trace_service.hpp"
#include "tunnelmgr/http/relay_finder.hpp"
#include "tunnelmgr/http/signalling_link.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/runtime/helper_watch.hpp"
#include "tunnelmgr/runtime/machine_timer.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"
#include "tunnelmgr/secure/dtls_context.hpp"
#include "tunnelmgr/secure/openssl_old_hashes.hpp"

namespace hearthcast::app {

struct TunnelService::State : std::enable_shared_from_this<State> {
  State(const Needs& use, const TunnelSettings& set, linux::UdpSocket udp, secure::DtlsContext context);

  // tunnel_service.cpp
  void start(const household::Snapshot& snapshot, std::map<DeviceId, store::Contact> known,
             CounterBlock counters);
  void on_up();
  void on_network();
  void arm();  // after every input to the sessions
  void remember(DeviceId device, const Endpoint& endpoint);
  [[nodiscard]] Result<std::unique_ptr<linux::MulticastSocket>, Failure> join(const FlowKey& key);
  void enlarge(int fd, std::size_t octets);
  void stop();

  // tunnel_multicast.cpp
  void tell_interfaces(Time now);  // to the plane
  void on_channels(Time now);
  void on_statistics(Time now);
  void rejoin_if_moved(Time now);

  // tunnel_peers.cpp
  void make_peers();  // none yet
  void open_peers();
  [[nodiscard]] Result<std::size_t, Failure> open_peer_port(const PeerPort& port);
  [[nodiscard]] Result<void, Failure> open_peer(const PeerSettings& wanted, PeerId id);

  // tunnel_rendezvous.cpp
  void start_rendezvous();
  void tell_rendezvous(const household::Snapshot& snapshot);
  void on_event(signalling::ClientAction event);
  void on_introduction(const signalling::IntroduceOffer& offer);
  void settle(const Introducer::Verdict& verdict, const signalling::IntroduceOffer& offer);
  void on_pairing(const signalling::PairOffer& offer);
  void on_list_outdated(std::uint64_t revision);
  void refill_counters();
  void reserve_counters(std::uint64_t generation = 0);  // 0: the present one
  [[nodiscard]] std::vector<nat::Candidate> own_candidates() const;
  [[nodiscard]] api::RendezvousLive rendezvous_live() const;

  void tell_moved();  // where the box is, when that is not what the rendezvous was told last

  // tunnel_reach.cpp
  void on_presence(const std::optional<Endpoint>& mapped);
  void on_mapping(const Endpoint& mapped);
  void start_being_found();  // on the LAN and by the router
  [[nodiscard]] tunnel::Reach reach() const;
  void on_reach();                                          // it may have changed: the devices are told
  [[nodiscard]] std::optional<Endpoint> forwarded() const;  // by the router, as far as it was asked
  [[nodiscard]] api::PortMappingLive mapping_live() const;

  // tunnel_relay.cpp
  void send(const Endpoint& to, Bytes datagram);  // on the shared socket, or by the relay
  void on_relays(const signalling::RelayAccess& access);
  // False: it is none of the relay's.
  bool on_relay_up(const forward::Up& message, Time now);
  void perform(const nat::RelayActions& actions, Time now);
  void connect_relay(const nat::RelayConnect& connect, Time now);
  void on_relay_changed();
  void show_relay(std::vector<DeviceStatus>& devices) const;
  [[nodiscard]] RelayWay relay_way() const;

  // tunnel_inside.cpp
  void make_inside();
  [[nodiscard]] api::TunnelInterfaceLive inside_live() const;

  Needs needs;
  TunnelSettings settings;
  linux::UdpSocket socket;
  forward::DataPlane plane;
  multicast::LinuxMachine machine;
  multicast::Plane multicast_plane;
  trace::TraceService trace_service;
  secure::DtlsContext dtls;
  PeerContext context;
  Upstream upstream;
  Introducer introducer;
  IntroductionDoubts doubts;
  std::unique_ptr<Sessions> sessions;
  std::unique_ptr<LanRelay> lan;
  std::unique_ptr<BoxInterface> inside;
  secure::OpenSslOldHashes old_hashes;
  http::RelayFinder relay_finder;
  BoxRelay relay;
  std::string relay_trouble;  // why there is no allocation, as far as is known
  std::unique_ptr<ForeignPeers> peers;
  std::map<PeerPort, std::size_t> peer_ports;
  runtime::MachineTimer timer;
  runtime::HelperWatch helper_watch;
  std::unique_ptr<runtime::ReadableWatch> plane_watch;
  std::optional<linux::InterfaceMonitor> monitor;
  std::unique_ptr<runtime::ReadableWatch> network_watch;
  std::unique_ptr<http::SignallingLink> link;
  std::optional<LanPresence> lan_presence;
  std::unique_ptr<gateway::PortMapper> mapper;  // only when the owner wants it
  household::Snapshot snapshot;
  std::map<DeviceId, store::Contact> contacts;
  const forward::Statistics* seen_statistics = nullptr;    // the last ones; only compared
  std::vector<IdentityId> allowed;                         // what the rendezvous was told last
  std::optional<household::Snapshot::Pairing> registered;  // the same
  std::optional<Endpoint> seen;                            // our endpoint as the rendezvous reported it
  std::optional<Endpoint> last_mapped;                     // by UDP presence; kept when presence is lost
  Time reconnected{};                                      // to the rendezvous, because of another mapping
  std::vector<Endpoint> told_moved;                        // to the rendezvous, since it was joined
  bool refilling = false;
  bool list_refused = false;  // by the rendezvous, for good
  bool tell_again = false;    // the list, though it is what the rendezvous was told last
  bool stopped = false;
  bool warned_of_buffers = false;
  std::uint64_t lost_messages = 0;
};

}  // namespace hearthcast::app
