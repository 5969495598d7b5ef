// Where TunnelService can be reached: its own addresses, what the rendezvous saw, what the router lets in.
#include <algorithm>

#include "appliance/app/tunnel_state.hpp"

namespace hearthcast::app {
namespace {

// A router that gives another port every time must not make the box knock at the rendezvous for ever.
constexpr Duration kReconnectPause = std::chrono::seconds{20};

}  // namespace

void TunnelService::State::start_being_found() {
  if (settings.answer_lan) {
    lan_presence.emplace(needs.io, needs.log, needs.random, socket.port());
    lan_presence->refresh(upstream.interfaces());
  }
  if (settings.port_mapping) {
    mapper = std::make_unique<gateway::PortMapper>(
        gateway::PortMapper::Needs{needs.io, needs.log, needs.random}, socket.port(), [this] { on_reach(); });
  }
}

tunnel::Reach TunnelService::State::reach() const {
  tunnel::Reach reach;
  if (const auto address = tunnel::ReachAddress::parse(settings.public_address)) {
    reach.addresses.push_back(*address);
  }
  for (const nat::Candidate& candidate : own_candidates()) {
    reach.addresses.push_back({candidate.endpoint.address, "", candidate.endpoint.port});
  }
  if (reach.addresses.size() > tunnel::kMaxReachAddresses) {
    reach.addresses.resize(tunnel::kMaxReachAddresses);
  }
  if (settings.rendezvous) {
    reach.rendezvous_url = settings.rendezvous->url;
    reach.rendezvous_pin = settings.rendezvous->pin_text();
  }
  return reach;
}

void TunnelService::State::on_reach() {
  if (!stopped && sessions) {
    sessions->on_reach(Clock::now());
    tell_moved();
    arm();
  }
}

// Nothing: the rendezvous has not answered over UDP for a while. While it is connected, that is the network.
void TunnelService::State::on_presence(const std::optional<Endpoint>& mapped) {
  const bool blocked = !mapped && link && link->state() == signalling::Client::State::kJoined;
  if (blocked) {
    seen.reset();
  }
  if (mapped || blocked) {
    const Time now = Clock::now();
    perform(relay.on_udp(!blocked, now), now);
  }
  if (mapped) {
    on_mapping(*mapped);
  }
}

// With another one, the router has forgotten what it let through before: the way to the viewers has to be
// opened anew, and the connection to the rendezvous is a line that nobody answers on.
void TunnelService::State::on_mapping(const Endpoint& mapped) {
  const bool another = last_mapped && *last_mapped != mapped;
  last_mapped = mapped;
  if (another) {
    const Time now = Clock::now();
    sessions->check_paths(now);
    if (link && now - reconnected >= kReconnectPause) {
      reconnected = now;
      link->on_network_change();
    }
  }
  on_reach();
}

std::optional<Endpoint> TunnelService::State::forwarded() const {
  return mapper ? mapper->status().external : std::nullopt;
}

std::vector<nat::Candidate> TunnelService::State::own_candidates() const {
  std::vector<nat::Candidate> own;
  for (const IpAddress& address : upstream.addresses()) {
    if (socket.reaches(address.family())) {
      // A public IPv4 address is told like one that a server saw: receivers take no other public ones.
      const bool plain = address.is_ip6() || address.is_private();
      own.push_back({plain ? nat::CandidateType::kHost : nat::CandidateType::kServerReflexive,
                     {address, socket.port()}});
    }
  }
  for (const auto& outside : {sessions->mapped() ? sessions->mapped() : seen, forwarded()}) {
    if (outside && std::ranges::find(own, *outside, &nat::Candidate::endpoint) == own.end()) {
      own.insert(own.begin(), {nat::CandidateType::kServerReflexive, *outside});
    }
  }
  return own;
}

api::PortMappingLive TunnelService::State::mapping_live() const {
  api::PortMappingLive live;
  if (!mapper) {
    return live;
  }
  const nat::MappingStatus& status = mapper->status();
  live.text = status.text;
  live.external = status.external;
  if (status.way) {
    live.way = nat::to_string(*status.way);
  }
  switch (status.state) {
    case nat::MappingState::kMapped:
      live.state = api::PortMappingLive::State::kMapped;
      break;
    case nat::MappingState::kAsking:
      live.state = api::PortMappingLive::State::kAsking;
      break;
    case nat::MappingState::kNoGateway:
    case nat::MappingState::kRefused:
      live.state = api::PortMappingLive::State::kFailed;
      break;
  }
  return live;
}

}  // namespace hearthcast::app
