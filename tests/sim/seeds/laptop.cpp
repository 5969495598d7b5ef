#include "tests/sim/seeds/laptop.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/seeds/internet.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/wire/channel_data.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSilence = 250ms;
constexpr Duration kAccountLifetime = 48h;

Buffer copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void add(std::vector<nat::Candidate>& to, nat::CandidateType type, const Endpoint& endpoint) {
  if (std::ranges::find(to, endpoint, &nat::Candidate::endpoint) == to.end()) {
    to.push_back({type, endpoint});
  }
}

}  // namespace

Laptop::Laptop(World& world, Rendezvous& rendezvous, TurnServer& relay, const secure::OpenSslIdentity& laptop,
               const Identity& box)
    : world_(world),
      rendezvous_(rendezvous),
      turn_(relay),
      random_(world),
      dtls_(secure::DtlsContext::make(laptop).value()),
      context_{dtls_, crypto_,  random_,
               log_,  box.id(), *nat::credentials_at_device(crypto_, laptop, box.public_key())},
      introducer_(crypto_, random_, laptop, copy_of(box.public_key())),
      relay_(crypto_, hashes_, random_),
      presence_(crypto_, random_),
      data_(data_ports()),
      link_(std::make_unique<away::BoxLink>(context_, static_cast<away::LinkHost&>(*this))) {}

void Laptop::start() {
  const Time now = world_.now();
  try_out(known_candidates());
  perform(relay_.on_path(std::nullopt, now));
  update_candidates();
  rendezvous_.set_member(Side::kLaptop, this);
}

void Laptop::on_network_change() {
  const Time now = world_.now();
  introducer_.on_joined(false, now);  // it is left below, and joined again from here
  introducer_.on_doubt(link_->has_path(), now);
  rendezvous_.break_connection(Side::kLaptop, {});
  update_candidates();
  try_out(known_candidates());
  link_->on_network_change(now);
  perform(presence_.on_network_change(now));
  perform(relay_.on_network_change(now));
}

void Laptop::watch(const FlowKey& flow) {
  watched_ = flow;
  link_->want(flow, world_.now());
}

void Laptop::leave() {
  if (watched_) {
    link_->unwant(*watched_, world_.now());
    watched_.reset();
    present_ = false;
  }
}

bool Laptop::is_relayed() const {
  const auto& path = link_->agent().selected();
  return path && wire::channel_of(*path);
}

// ---- the rendezvous ------------------------------------------------------------------------------------

void Laptop::on_joined(nat::PresenceAccount account) {
  const Time now = world_.now();
  perform(presence_.start(std::move(account), now));
  introducer_.on_joined(true, now);
  perform(relay_.on_account({{{*Endpoint::parse(kRelayAddress), wire::TurnTransport::kUdp, "relay"},
                              {*Endpoint::parse(kRelayStreamAddress), wire::TurnTransport::kTls, "relay"}},
                             turn_.username(),
                             turn_.password()},
                            kAccountLifetime, now));
}

void Laptop::on_answer(const signalling::IntroductionAnswered& answered) {
  const Time now = world_.now();
  const auto candidates = introducer_.on_answer(answered, memory_, now);
  if (candidates.empty()) {
    return;
  }
  memory_.candidates.clear();
  for (const auto& candidate : candidates) {
    memory_.candidates.push_back(candidate.endpoint);
  }
  perform(relay_.set_peers(memory_.candidates, now));
  try_out(candidates);
}

void Laptop::on_moved(const std::vector<Endpoint>& endpoints) {
  const Time now = world_.now();
  const auto candidates = introducer_.on_moved(
      {context_.box, endpoints}, [&](const Endpoint& at) { return link_->agent().is_proven(at, now); }, now);
  if (candidates.empty()) {
    return;
  }
  auto peers = memory_.candidates;
  for (const auto& candidate : candidates) {
    std::erase(peers, candidate.endpoint);
    peers.insert(peers.begin(), candidate.endpoint);
  }
  perform(relay_.set_peers(peers, now));
  try_out(candidates);
  link_->check_path(now);
}

void Laptop::perform(const nat::PresenceActions& actions) {
  for (const auto& action : actions) {
    if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
      send(datagram->to, datagram->bytes);
    } else if (const auto* changed = std::get_if<nat::MappingChanged>(&action)) {
      const bool another = last_mapped_ && *last_mapped_ != changed->mapped;
      last_mapped_ = changed->mapped;
      if (another) {
        perform(relay_.on_network_change(world_.now()));
      }
      relay_.on_udp(true);
      if (another && rendezvous_.joined(Side::kLaptop)) {
        introducer_.on_joined(false, world_.now());
        rendezvous_.break_connection(Side::kLaptop, {});
      }
      update_candidates();
    } else {
      relay_.on_udp(false);
      update_candidates();
    }
  }
}

void Laptop::update_candidates() {
  std::vector<signalling::IntroducedCandidate> candidates;
  if (const auto mapped = presence_.mapped()) {
    candidates.push_back({signalling::CandidateType::kServerReflexive, *mapped});
  }
  if (const auto relayed = relay_.relayed()) {
    candidates.push_back({signalling::CandidateType::kRelayed, *relayed});
  }
  for (const IpAddress& address : world_.addresses_of(*this)) {
    candidates.push_back({signalling::CandidateType::kHost, {address, Internet::kLaptopPort}});
  }
  introducer_.set_candidates(std::move(candidates), world_.now());
}

std::vector<nat::Candidate> Laptop::known_candidates() const {
  std::vector<nat::Candidate> known;
  for (const auto& endpoint : memory_.endpoints) {
    add(known, nat::CandidateType::kPeerReflexive, endpoint);
  }
  for (const auto& endpoint : memory_.candidates) {
    add(known, nat::CandidateType::kServerReflexive, endpoint);
  }
  std::vector<nat::Candidate> told;
  for (const auto& at : memory_.told) {
    add(told, at.address->is_private() ? nat::CandidateType::kHost : nat::CandidateType::kServerReflexive,
        {*at.address, at.port});
  }
  for (const auto& candidate : nat::acceptable(told)) {
    add(known, candidate.type, candidate.endpoint);
  }
  return known;
}

void Laptop::try_out(const std::vector<nat::Candidate>& candidates) {
  for (const auto& candidate : candidates) {
    on_told(candidate.endpoint);
  }
  link_->on_candidates(candidates, world_.now());
}

// ---- the relay -----------------------------------------------------------------------------------------

void Laptop::perform(const nat::RelayActions& actions) {
  for (const auto& action : actions) {
    if (const auto* out = std::get_if<nat::RelaySend>(&action)) {
      if (out->on_stream) {
        turn_.send_on_stream(stream_, out->bytes);
      } else {
        world_.send(*this, out->to, out->bytes);
      }
    } else if (const auto* connect = std::get_if<nat::RelayConnect>(&action)) {
      connect_relay(*connect);
    } else if (const auto* came = std::get_if<nat::RelayArrived>(&action)) {
      if (wire::classify(came->bytes) == wire::DatagramKind::kDtls) {
        link_->on_handshake(came->from, came->bytes, world_.now());
      } else if (const auto decoded = wire::decode_stun(came->bytes)) {
        link_->on_stun(came->from, came->bytes, *decoded, world_.now());
      }
    } else if (std::holds_alternative<nat::RelayChanged>(action)) {
      const auto server = relay_.server();
      if (!server || relay_.transport() == wire::TurnTransport::kUdp) {
        relay_server_ = server;
        turn_.close_stream(stream_);
      }
      update_candidates();
    }
  }
}

void Laptop::connect_relay(const nat::RelayConnect& connect) {
  turn_.close_stream(stream_);
  relay_server_.reset();
  stream_ = turn_.open_stream(
      *this, [this, id = connect.id] { perform(relay_.on_stream(id, true, "", world_.now())); },
      [this](Bytes message) { on_stream_message(message); });
}

void Laptop::on_stream_message(Bytes message) {
  if (const auto data = wire::decode_channel_data(message)) {
    data_.on_datagram(wire::channel_endpoint(data->channel), data->payload);
  } else {
    on_stun(*Endpoint::parse(kRelayStreamAddress), message);
  }
}

// ---- datagrams -----------------------------------------------------------------------------------------

void Laptop::send(const Endpoint& to, Bytes datagram) {
  if (wire::channel_of(to)) {
    perform(relay_.send(to, datagram, world_.now()));
  } else {
    world_.send(*this, to, datagram);
  }
}

void Laptop::on_datagram(const Endpoint& from, Bytes bytes, Time) {
  if (from == relay_server_) {
    if (const auto data = wire::decode_channel_data(bytes)) {
      data_.on_datagram(wire::channel_endpoint(data->channel), data->payload);
      return;
    }
  }
  data_.on_datagram(from, bytes);
}

DataThread::Ports Laptop::data_ports() {
  DataThread::Ports ports;
  ports.send = [this](const Endpoint& to, Bytes datagram) { send(to, datagram); };
  ports.stun = [this](const Endpoint& from, Bytes datagram) { on_stun(from, datagram); };
  ports.handshake = [this](const Endpoint& from, PeerId, Bytes datagram) {
    link_->on_handshake(from, datagram, world_.now());
  };
  ports.inner = [this](PeerId peer, const Endpoint& from, Bytes gre) { on_inner(peer, from, gre); };
  ports.closed = [this](PeerId peer, const std::string& reason) {
    link_->on_session_closed(peer, reason, world_.now());
  };
  return ports;
}

void Laptop::on_stun(const Endpoint& from, Bytes bytes) {
  const auto decoded = wire::decode_stun(bytes);
  if (!decoded) {
    return;
  }
  if (presence_.expects(decoded->transaction)) {
    perform(presence_.on_stun(from, bytes, *decoded, world_.now()));
  } else if (relay_.takes(from, *decoded)) {
    perform(relay_.on_stun(bytes, *decoded, world_.now()));
  } else {
    link_->on_stun(from, bytes, *decoded, world_.now());
  }
}

void Laptop::on_inner(PeerId peer, const Endpoint& from, Bytes gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (!inner || inner->kind != tunnel::InnerKind::kMedia) {
    link_->on_inner(peer, gre, world_.now());
    return;
  }
  if (!watched_) {
    return;
  }
  last_media_ = world_.now();
  on_media(inner->sequence, from);
  if (!std::exchange(present_, true)) {
    link_->on_signal(*watched_, true, world_.now());
  }
}

void Laptop::post(away::Down message) {
  if (auto* add_session = std::get_if<datapath::AddSession>(&message)) {
    data_.add(std::move(*add_session));
    ++sessions_made_;
  } else if (const auto* move = std::get_if<datapath::MoveSession>(&message)) {
    data_.move(*move);
  } else if (const auto* hear = std::get_if<datapath::HearSession>(&message)) {
    data_.hear(*hear);
  } else if (const auto* remove = std::get_if<datapath::RemoveSession>(&message)) {
    data_.remove(*remove);
  } else if (const auto* inner = std::get_if<datapath::SendInner>(&message)) {
    data_.seal(inner->peer, inner->gre);
  }
}

// ---- what the link says --------------------------------------------------------------------------------

void Laptop::on_status() {
  const Time now = world_.now();
  const auto selected = link_->agent().selected();
  introducer_.on_path(selected && !wire::channel_of(*selected), now);
  perform(relay_.on_path(selected, now));
}

void Laptop::on_reach(const tunnel::Reach& reach) {
  if (std::exchange(memory_.told, reach.addresses) != reach.addresses) {
    try_out(known_candidates());
  }
}

void Laptop::on_path_doubt(bool doubted) {
  const Time now = world_.now();
  introducer_.on_doubt(doubted, now);
  relay_.on_doubt(doubted, now);
  if (doubted) {
    perform(presence_.on_network_change(now));
  }
}

void Laptop::on_path(const Endpoint& endpoint) {
  if (!wire::channel_of(endpoint)) {
    auto& known = memory_.endpoints;  // the newest first
    std::erase(known, endpoint);
    known.insert(known.begin(), endpoint);
    known.resize(std::min(known.size(), away::Memory::kMaxEndpoints));
  }
}

void Laptop::on_deadline(Time now) {
  if (present_ && now >= last_media_ + kSilence) {
    present_ = false;
    link_->on_signal(*watched_, false, now);
  }
  if (link_->next_deadline() <= now) {
    link_->on_deadline(now);
  }
  if (presence_.next_deadline() <= now) {
    perform(presence_.on_deadline(now));
  }
  if (introducer_.next_deadline() <= now) {
    if (auto sealed = introducer_.on_deadline(memory_, now)) {
      rendezvous_.introduce(std::move(*sealed));
    }
  }
  if (relay_.next_deadline() <= now) {
    perform(relay_.on_deadline(now));
  }
}

Time Laptop::next_deadline() const {
  return std::min({link_->next_deadline(), presence_.next_deadline(), introducer_.next_deadline(),
                   relay_.next_deadline(), present_ ? last_media_ + kSilence : kNever});
}

}  // namespace hearthcast::sim
