// Where the client looks for its box without being introduced: what it remembers, what the box told, what the
// owner of this device said, and the network that it is in.
#include <algorithm>
#include <utility>

#include "tunnelmgr/away/client.hpp"

namespace hearthcast::away {
namespace {

void add(std::vector<nat::Candidate>& to, nat::CandidateType type, const Endpoint& endpoint) {
  if (std::ranges::find(to, endpoint, &nat::Candidate::endpoint) == to.end()) {
    to.push_back({type, endpoint});
  }
}

void add(std::vector<nat::Candidate>& to, const std::vector<tunnel::ReachAddress>& addresses) {
  for (const auto& at : addresses) {
    if (at.address) {
      const bool near = at.address->is_private() || at.address->is_link_local();
      add(to, near ? nat::CandidateType::kHost : nat::CandidateType::kServerReflexive,
          {*at.address, at.port});
    }
  }
}

}  // namespace

std::vector<nat::Candidate> Client::known_candidates() const {
  std::vector<nat::Candidate> known;
  add(known, box_->manual);
  for (const auto& endpoint : parts_.memory.endpoints) {
    add(known, nat::CandidateType::kPeerReflexive, endpoint);
  }
  for (const auto& endpoint : parts_.memory.candidates) {
    add(known, nat::CandidateType::kServerReflexive, endpoint);
  }
  std::vector<nat::Candidate> told;
  add(told, parts_.memory.told);
  for (const auto& candidate : nat::acceptable(told)) {  // the box is trusted, but what it sees may be forged
    add(known, candidate.type, candidate.endpoint);
  }
  for (const auto& address : box_->addresses) {  // at home the box uses the port that it uses by default
    add(known, nat::CandidateType::kHost, {address.address, tunnel::kDefaultTunnelPort});
  }
  return known;
}

void Client::try_out(const std::vector<Endpoint>& found) {
  std::vector<nat::Candidate> candidates;
  for (const auto& endpoint : found) {
    add(candidates, {{endpoint.address, "", endpoint.port}});
  }
  if (link_ && relay_policy() != signalling::RelayPolicy::kAlways) {
    link_->on_candidates(nat::acceptable(candidates), Clock::now());
    arm();
  }
}

void Client::look_around() {
  const auto found = [this](const std::vector<Endpoint>& endpoints) { try_out(endpoints); };
  if (!names_) {
    names_.emplace(parts_.io, found);
  }
  if (!lan_ && parts_.ask_lan) {
    lan_.emplace(parts_.io, parts_.log, random_, found);
    if (parts_.tun) {
      lan_->leave_out(parts_.tun->index());
    }
  }
  std::vector<tunnel::ReachAddress> addresses;
  if (box_) {
    addresses = box_->manual;
    addresses.insert(addresses.end(), parts_.memory.told.begin(), parts_.memory.told.end());
  }
  // Also while the way leads through a relay: a direct one is better.
  const auto selected = link_ ? link_->agent().selected() : std::nullopt;
  const bool wanted =
      link_ && relay_policy() != signalling::RelayPolicy::kAlways && (!selected || is_relayed(*selected));
  names_->set(addresses);
  names_->want(wanted);
  if (lan_) {
    lan_->want(wanted);
  }
}

void Client::on_reach(const tunnel::Reach& reach) {
  if (!box_) {
    return;
  }
  if (parts_.memory.told != reach.addresses) {
    parts_.memory.told = reach.addresses;
    parts_.log.info("box_reach", {{"addresses", std::to_string(reach.addresses.size())}});
    remember();
    if (link_ && relay_policy() != signalling::RelayPolicy::kAlways) {
      link_->on_candidates(known_candidates(), Clock::now());  // in use when this end moves, or one is better
    }
  }
  const auto rendezvous = signalling::RendezvousAddress::parse(reach.rendezvous_url, reach.rendezvous_pin);
  if (rendezvous && box_->rendezvous != rendezvous) {
    parts_.log.info("rendezvous_moved", {{"url", rendezvous->url}});
    if (const auto moved = set_rendezvous(*rendezvous); !moved) {
      parts_.log.warning("rendezvous_moved", {{"error", moved.error().text}});
    }
  }
}

Result<void, Failure> Client::set_manual(std::vector<tunnel::ReachAddress> addresses) {
  if (!box_) {
    return Failure{"This device is not paired with a box yet. Run: hearthcast-away pair LINK"};
  }
  BoxRecord changed = *box_;
  changed.manual = std::move(addresses);
  if (const auto saved = parts_.state.save(changed); !saved) {
    return saved.error();
  }
  box_ = std::move(changed);
  if (relay_policy() != signalling::RelayPolicy::kAlways) {
    link_->on_candidates(known_candidates(), Clock::now());
  }
  look_around();
  arm();
  return {};
}

Result<void, Failure> Client::set_rendezvous(const signalling::RendezvousAddress& rendezvous) {
  if (!box_) {
    return Failure{"This device is not paired with a box yet. Run: hearthcast-away pair LINK"};
  }
  BoxRecord changed = *box_;
  changed.rendezvous = rendezvous;
  if (const auto saved = parts_.state.save(changed); !saved) {
    return saved.error();
  }
  box_ = std::move(changed);
  if (signalling_) {
    signalling_->stop();
    signalling_.reset();
  }
  introducer_->on_joined(false, Clock::now());
  connect_rendezvous();
  arm();
  return {};
}

}  // namespace hearthcast::away
