#include "tests/sim/ice_peer.hpp"

#include "tunnelmgr/wire/stun.hpp"

namespace hearthcast::sim {
namespace {

nat::StandingCredentials credentials(const std::string& secret) {
  const secure::OpenSslCrypto crypto;
  return nat::standing_credentials(crypto, as_bytes(secret), IdentityId{}, IdentityId{});
}

nat::Credentials own(nat::Role role, const std::string& secret) {
  const auto c = credentials(secret);
  return role == nat::Role::kControlled ? c.box : c.device;
}

nat::Credentials other(nat::Role role, const std::string& secret) {
  const auto c = credentials(secret);
  return role == nat::Role::kControlled ? c.device : c.box;
}

}  // namespace

IcePeer::IcePeer(World& world, nat::Role role, const std::string& secret, nat::Timing timing)
    : world_(world),
      random_(world),
      agent_(role, own(role, secret), other(role, secret), crypto_, random_, timing),
      presence_(crypto_, random_) {
  responder_.add(agent_);
}

void IcePeer::register_at(const Endpoint& server) {
  apply(
      presence_.start({.server = server, .username = "home", .password = "presence password"}, world_.now()));
}

void IcePeer::on_datagram(const Endpoint& from, Bytes bytes, Time now) {
  const auto message = wire::decode_stun(bytes);
  if (!message) {
    return;
  }
  if (presence_.expects(message->transaction)) {
    apply(presence_.on_stun(from, bytes, *message, now));
  } else if (nat::Agent* agent = responder_.find(*message)) {
    apply(agent->on_stun(from, bytes, *message, now));
  }
}

void IcePeer::on_deadline(Time now) {
  if (agent_.next_deadline() <= now) {
    apply(agent_.on_deadline(now));
  }
  if (presence_.next_deadline() <= now) {
    apply(presence_.on_deadline(now));
  }
}

Time IcePeer::next_deadline() const { return std::min(agent_.next_deadline(), presence_.next_deadline()); }

void IcePeer::send(const nat::SendDatagram& datagram) {
  sent_at_.push_back(world_.now());
  world_.send(*this, datagram.to, datagram.bytes);
}

void IcePeer::apply(const nat::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
      send(*datagram);
    } else if (const auto* selected = std::get_if<nat::PathSelected>(&action)) {
      history_.push_back({world_.now(), selected->remote});
    } else if (std::holds_alternative<nat::PathLost>(action)) {
      history_.push_back({world_.now(), std::nullopt});
    } else if (const auto* endpoint = std::get_if<nat::EndpointProven>(&action)) {
      proven_.push_back(endpoint->remote);
    }
  }
}

void IcePeer::apply(const nat::PresenceActions& actions) {
  for (const auto& action : actions) {
    if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
      send(*datagram);
    } else if (const auto* mapping = std::get_if<nat::MappingChanged>(&action)) {
      mappings_.push_back(mapping->mapped);
    } else {
      ++presence_lost_;
    }
  }
}

void PresenceServer::on_datagram(const Endpoint& from, Bytes bytes, Time) {
  const auto request = wire::decode_stun(bytes);
  if (!up || !request || !wire::check_integrity(bytes, crypto_, as_bytes(password))) {
    return;
  }
  ++requests;
  last_seen = from;
  wire::StunMessage answer;
  answer.message_class = wire::StunClass::kSuccess;
  answer.transaction = request->transaction;
  answer.xor_mapped_address = from;
  const Buffer out = wire::encode_stun(answer, crypto_, as_bytes(password));
  largest_growth = std::max(largest_growth, out.size() - std::min(out.size(), bytes.size()));
  world_.send(*this, from, out);
}

nat::Candidate host(const std::string& endpoint) {
  return {nat::CandidateType::kHost, *Endpoint::parse(endpoint)};
}

nat::Candidate srflx(const std::string& endpoint) {
  return {nat::CandidateType::kServerReflexive, *Endpoint::parse(endpoint)};
}

}  // namespace hearthcast::sim
