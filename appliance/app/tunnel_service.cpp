#include "appliance/app/tunnel_service.hpp"

#include <algorithm>
#include <utility>

#include "appliance/app/tunnel_state.hpp"

namespace hearthcast::app {
namespace {

constexpr std::uint64_t kCounterBlock = 10'000;
constexpr std::size_t kReceiveBuffer = 4 << 20;  // octets: some thousands of reports while the thread waits

Time clock_now() { return Clock::now(); }

}  // namespace

TunnelService::State::State(const Needs& use, const TunnelSettings& set, linux::UdpSocket udp,
                            secure::DtlsContext tls)
    : needs(use),
      settings(set),
      socket(std::move(udp)),
      plane(socket, use.log, set.gather ? Duration{forward::Loop::kLongestPause} : Duration{}),
      machine(use.io, use.netd, [this](Time now) { multicast_plane.on_deadline(now); }),
      multicast_plane(machine, use.log, set.multicast),
      trace_service(use.io, use.log, [this](Time now) { return multicast_plane.status(now).proxy; }),
      dtls(std::move(tls)),
      context{dtls,
              use.crypto,
              use.random,
              use.log,
              {"hearthcast-box " HEARTHCAST_VERSION,
               set.name,
               {std::string(tunnel::kCanRepair), std::string(tunnel::kCanPrelude),
                std::string(tunnel::kCanProbe), std::string(tunnel::kCanTun)},
               sessions::InnerPlan(use.identity.id(), set.inner_ip4),
               [this] { return reach(); }},
              set.relay},
      upstream(set.upstream_interface),
      introducer(use.crypto, use.random, use.identity, set.relay),
      relay_finder(use.io),
      relay(use.crypto, old_hashes, use.random, set.relay),
      timer(use.io,
            [this](Time now) {
              sessions->on_deadline(now);
              if (relay.next_deadline() <= now) {
                perform(relay.on_deadline(sessions->uses_relay(), now), now);
              }
              lan->on_deadline(now);
              peers->on_deadline(now);
              arm();
            }),
      helper_watch(use.io, use.netd, use.log) {}

Result<std::unique_ptr<TunnelService>, Failure> TunnelService::start(const Needs& needs,
                                                                     const TunnelSettings& settings) {
  linux::UdpOptions options;
  options.port = settings.port;
  options.answer_from_addressed = true;
  options.probe_path_size = true;
  options.dscp = settings.dscp;
  auto socket = linux::UdpSocket::open(options);
  if (!socket) {
    return socket.error();
  }
  if (const auto raised = needs.netd.raise_receive_buffer(socket->fd(), kReceiveBuffer); !raised) {
    needs.log.warning("receive_buffer_small", {{"error", raised.error().text}});
  }
  auto context = secure::DtlsContext::make(needs.identity);
  if (!context) {
    return context.error();
  }
  auto contacts = needs.household.contacts();
  if (!contacts) {
    return Failure{"The box's memory of its devices cannot be read: " + contacts.error().text};
  }
  const auto block = needs.household.reserve_counters(kCounterBlock);
  if (!block) {
    needs.log.warning("counters_not_reserved", {{"error", block.error().text}});
  }
  const CounterBlock counters =
      block ? CounterBlock{block->generation, block->first, block->first + kCounterBlock} : CounterBlock{};
  auto state = std::make_shared<State>(needs, settings, std::move(*socket), std::move(*context));
  state->start(needs.household.snapshot(), std::move(*contacts), counters);
  return std::unique_ptr<TunnelService>(new TunnelService(std::move(state)));
}

void TunnelService::State::start(const household::Snapshot& first, std::map<DeviceId, store::Contact> known,
                                 CounterBlock counters) {
  SessionPorts ports;
  ports.send = [this](const Endpoint& to, Bytes datagram) { send(to, datagram); };
  ports.post = [this](forward::Down message) {
    if (!plane.post(std::move(message)) && ++lost_messages % 1000 == 1) {
      needs.log.error("data_thread_behind", {{"lost", std::to_string(lost_messages)}});
    }
  };
  ports.join = [this](const FlowKey& key) { return join(key); };
  ports.enlarge = [this](int fd, std::size_t octets) { enlarge(fd, octets); };
  ports.watching = [this](PeerId peer, const std::set<FlowKey>& flows) {
    multicast_plane.on_tunnel(peer, flows, clock_now());
  };
  ports.remember = [this](DeviceId device, const Endpoint& endpoint) { remember(device, endpoint); };
  ports.mapped = [this](const std::optional<Endpoint>& endpoint) { on_presence(endpoint); };
  ports.inner = [this](PeerId peer, const auto& addresses, const HomeHosts& hosts) {
    inside->on_device(peer, addresses, hosts, clock_now());
  };
  ports.signal = [this](const FlowKey& flow, bool present) { lan->on_signal(flow, present, clock_now()); };
  ports.changed = [] {};  // the API reads live() when it needs it
  sessions = std::make_unique<Sessions>(context, needs.identity, std::move(ports));
  lan = std::make_unique<LanRelay>(
      LanRelay::Needs{.log = needs.log,
                      .crypto = needs.crypto,
                      .sessions = *sessions,
                      .post = [this](forward::Down message) { return plane.post(std::move(message)); },
                      .is_home =
                          [this](const IpAddress& address) {
                            return is_home(address, upstream.interfaces()) && !inside->is_device(address);
                          },
                      .arm = [this] { arm(); }});
  make_inside();
  make_peers();
  contacts = std::move(known);
  introducer.set_counters(counters);
  snapshot = first;

  upstream.refresh();
  on_channels(clock_now());
  tell_interfaces(clock_now());
  if (auto opened = linux::InterfaceMonitor::open()) {
    monitor.emplace(std::move(*opened));
    network_watch =
        std::make_unique<runtime::ReadableWatch>(needs.io, monitor->fd(), [this] { on_network(); });
  } else {
    needs.log.warning("interfaces_unwatched", {{"error", opened.error().text}});
  }
  plane.start();
  plane_watch = std::make_unique<runtime::ReadableWatch>(needs.io, plane.wake_fd(), [this] { on_up(); });
  on_up();  // once after start(), as the plane wants it

  const Time now = clock_now();
  open_peers();
  sessions->on_access(snapshot.access, now);
  lan->on_access(snapshot.access, now);
  peers->on_access(snapshot.access, now);
  for (const auto& [device, contact] : contacts) {
    if (const auto* known_device = snapshot.access->devices().find(device)) {
      introducer.set_last(known_device->identity, {contact.generation, contact.counter});
      if (contact.endpoint) {
        sessions->lurk(device, *contact.endpoint, now);
      }
    }
  }
  start_rendezvous();
  start_being_found();
  arm();
  needs.log.info("tunnel_port", {{"port", std::to_string(socket.port())},
                                 {"offload", socket.offloads() ? "yes" : "no"},
                                 {"upstream", upstream.interface() ? upstream.interface()->name : "none"}});
}

void TunnelService::State::arm() {
  timer.arm(stopped ? kNever
                    : std::min({sessions->next_deadline(), lan->next_deadline(), peers->next_deadline(),
                                relay.next_deadline()}));
}

void TunnelService::State::on_up() {
  const auto consume = [this] {
    plane.consume([this](forward::Up message) {
      if (const auto* gone = std::get_if<forward::PlayerGone>(&message)) {
        lan->on_gone(*gone, clock_now());
      } else if (!on_relay_up(message, clock_now()) && !peers->on_up(message, clock_now())) {
        sessions->on_up(std::move(message), clock_now());
      }
    });
  };
  sessions->burst(consume);
  on_statistics(clock_now());
  arm();
}

void TunnelService::State::on_network() {
  if (!monitor->changed() || stopped) {
    return;
  }
  socket.on_network_change();
  const auto before = upstream.ways();
  const Time now = clock_now();
  const bool other_upstream = upstream.refresh();
  tell_interfaces(now);  // before it joins there
  if (other_upstream) {
    needs.log.info("upstream_changed",
                   {{"upstream",
                     upstream.interface() ? upstream.interface()->name : upstream.interface().error().text}});
    sessions->on_upstream_change(now);
  }
  rejoin_if_moved(now);
  inside->on_network_change(now);
  if (lan_presence) {
    lan_presence->refresh(upstream.interfaces());
  }
  if (mapper) {
    mapper->on_network_change();
  }
  if (upstream.ways() != before) {  // a route often comes after its address, and nothing goes out before
    sessions->on_network_change(now);
    perform(relay.on_network_change(now), now);
    if (link) {
      link->on_network_change();
    }
    on_reach();
  }
  arm();
}

void TunnelService::State::remember(DeviceId device, const Endpoint& endpoint) {
  store::Contact& contact = contacts[device];
  if (contact.endpoint == endpoint) {
    return;
  }
  contact.endpoint = endpoint;
  needs.worker.run(
      [household = &needs.household, device, contact] { household->remember_contact(device, contact); });
}

Result<std::unique_ptr<linux::MulticastSocket>, Failure> TunnelService::State::join(const FlowKey& key) {
  auto joined = upstream.join(key, multicast_plane.upstream_for(key));
  if (joined) {
    const unsigned at = (*joined)->options().interface_index;
    if (!sessions->is_joined_beside(key, at)) {
      multicast_plane.on_flow_joined(key, at, clock_now());
    }
  }
  return joined;
}

void TunnelService::State::enlarge(int fd, std::size_t octets) {
  const auto raised = needs.netd.raise_receive_buffer(fd, octets);
  if (!raised && !std::exchange(warned_of_buffers, true)) {
    needs.log.warning("receive_buffer_small", {{"error", raised.error().text}});
  }
}

void TunnelService::State::stop() {
  if (stopped) {
    return;
  }
  sessions->end_all(clock_now());
  lan->stop();
  stopped = true;
  timer.arm(kNever);
  helper_watch.stop();
  if (link) {
    link->stop();
  }
  plane_watch.reset();
  network_watch.reset();
  trace_service.on_interfaces({}, {});
  multicast_plane.close(clock_now());
  plane.stop();  // its goodbye may go through the relay
  perform(relay.stop(), clock_now());
  lan_presence.reset();
  mapper.reset();  // gives the port back
}

TunnelService::TunnelService(std::shared_ptr<State> state) : state_(std::move(state)) {}

TunnelService::~TunnelService() { stop(); }

void TunnelService::stop() { state_->stop(); }

bool TunnelService::alive() const { return state_->plane.alive(); }

void TunnelService::on_snapshot(const household::Snapshot& snapshot) {
  if (state_->stopped) {
    return;
  }
  const bool access_changed = state_->snapshot.access != snapshot.access;
  state_->snapshot = snapshot;
  if (access_changed) {
    state_->on_channels(clock_now());  // before what is granted is looked for among them
    state_->sessions->on_access(snapshot.access, clock_now());
    state_->lan->on_access(snapshot.access, clock_now());
    state_->peers->on_access(snapshot.access, clock_now());
  }
  state_->tell_rendezvous(snapshot);
  state_->arm();
}

void TunnelService::serve_lan(const http::Request& request, http::Responder responder) {
  if (state_->stopped) {
    responder.send(http::Response::text(503, "The box is going down.\n"));
    return;
  }
  state_->lan->serve(request, std::move(responder), clock_now());
}

std::vector<IpAddress> TunnelService::addresses() const { return state_->upstream.addresses(); }

api::LiveState TunnelService::live() const {
  const auto own = state_->upstream.addresses();
  auto devices = state_->sessions->devices();
  state_->show_relay(devices);
  api::LiveState live = live_state(devices, state_->sessions->flows(), state_->sessions->statistics(),
                                   *state_->snapshot.access, own, clock_now());
  state_->lan->show(live, state_->sessions->statistics());
  live.tunnel_port = tunnel_port(state_->sessions->statistics(), state_->sessions->counters());
  live.tunnel_interface = state_->inside_live();
  live.peers = state_->peers->live(state_->sessions->statistics(), state_->sessions->flows(),
                                   state_->snapshot.access->catalogue());
  live.peer_strangers = ForeignPeers::strangers(state_->sessions->statistics());
  live.rendezvous = state_->rendezvous_live();
  live.reachability =
      reachability({.rendezvous_connected = live.rendezvous.state == api::RendezvousLive::State::kConnected,
                    .mapped = state_->sessions->mapped() ? state_->sessions->mapped() : state_->seen,
                    .forwarded = state_->forwarded(),
                    .public_address = tunnel::ReachAddress::parse(state_->settings.public_address),
                    .own = own,
                    .port = state_->socket.port(),
                    .relay = state_->relay_way()});
  live.port_mapping = state_->mapping_live();
  if (const auto& interface = state_->upstream.interface()) {
    live.upstream.interface = interface->name;
    live.upstream.state =
        interface->running ? api::UpstreamLive::State::kUp : api::UpstreamLive::State::kDown;
    live.upstream.text = interface->running
                             ? "The provider's television is expected on " + interface->name + "."
                             : "The cable of " + interface->name + " is not connected.";
  } else {
    live.upstream.state = api::UpstreamLive::State::kDown;
    live.upstream.text = interface.error().text;
  }
  return live;
}

}  // namespace hearthcast::app
