// The client's side of rendezvous and network: presence, introductions, its own addresses.
#include <algorithm>
#include <utility>

#include "tunnelmgr/away/client.hpp"

namespace hearthcast::away {

// The link logs its own coming and going.
void Client::on_rendezvous(signalling::ClientAction event, Time now) {
  if (auto* joined = std::get_if<signalling::Joined>(&event)) {
    const auto server = signalling_->server();
    nat::PresenceAccount account;
    account.server = {server.address, joined->presence.port};
    account.username = joined->presence.username;
    account.password = joined->presence.password;
    account.interval = std::chrono::seconds(joined->presence.interval_s);
    perform(presence_.start(std::move(account), now), now);
    introducer_->on_joined(true, now);
  } else if (const auto* moved = std::get_if<signalling::BoxMoved>(&event)) {
    on_box_moved(*moved, now);
  } else if (auto* relays = std::get_if<signalling::RelaysOffered>(&event)) {
    on_relays(relays->access, now);
  } else if (std::holds_alternative<signalling::Left>(event)) {
    introducer_->on_joined(false, now);
  } else if (auto* answer = std::get_if<signalling::IntroductionAnswered>(&event)) {
    const auto candidates = introducer_->on_answer(*answer, parts_.memory, now);
    if (candidates.empty()) {
      parts_.log.warning("introduction", {{"error", introducer_->last_error()}});
      return;
    }
    on_introduced(candidates, now);
  } else if (auto* failed = std::get_if<signalling::RequestFailed>(&event)) {
    parts_.log.info("introduction", {{"error", failed->text}});
    introducer_->on_failed(*failed);
  }
}

void Client::on_introduced(std::vector<nat::Candidate> candidates, Time now) {
  parts_.log.info("introduced", {{"candidates", std::to_string(candidates.size())}});
  std::vector<Endpoint> relays;  // that the box is behind, for as long as it holds them: not remembered
  parts_.memory.candidates.clear();
  for (const auto& candidate : candidates) {
    (candidate.type == nat::CandidateType::kRelayed ? relays : parts_.memory.candidates)
        .push_back(candidate.endpoint);
  }
  remember();
  update_relay_policy(now);
  perform(relay_.set_peers(parts_.memory.candidates, now), now);
  perform(relay_.set_box_relays(std::move(relays), now), now);
  if (relay_policy() == signalling::RelayPolicy::kNever) {
    std::erase_if(candidates, [](const auto& one) { return one.type == nat::CandidateType::kRelayed; });
  }
  if (relay_policy() != signalling::RelayPolicy::kAlways) {
    link_->on_candidates(candidates, now);
  }
}

void Client::on_box_moved(const signalling::BoxMoved& moved, Time now) {
  const auto candidates = introducer_->on_moved(
      moved, [&](const Endpoint& at) { return link_->agent().is_proven(at, now); }, now);
  if (candidates.empty()) {
    return;
  }
  parts_.log.info("box_moved", {{"endpoint", candidates.front().endpoint.to_string()},
                                {"candidates", std::to_string(candidates.size())}});
  auto peers = parts_.memory.candidates;
  for (const auto& candidate : candidates) {
    std::erase(peers, candidate.endpoint);
    peers.insert(peers.begin(), candidate.endpoint);
  }
  perform(relay_.set_peers(peers, now), now);  // not remembered: nobody signed it
  if (relay_policy() != signalling::RelayPolicy::kAlways) {
    link_->on_candidates(candidates, now);
    link_->check_path(now);
  }
}

// The path does not answer. Perhaps it is this end that is found elsewhere now.
void Client::on_path_doubt(bool doubted) {
  if (!introducer_) {
    return;
  }
  const Time now = Clock::now();
  introducer_->on_doubt(doubted, now);
  relay_.on_doubt(doubted, now);
  if (doubted) {
    perform(presence_.on_network_change(now), now);
  }
}

// A router that forgot this one's mapping has forgotten the connection to the rendezvous, too.
void Client::on_mapping(const Endpoint& mapped, Time now) {
  parts_.log.info("mapping", {{"endpoint", mapped.to_string()}});
  const bool another = last_mapped_ && *last_mapped_ != mapped;
  last_mapped_ = mapped;
  if (another) {
    perform(relay_.on_network_change(now), now);  // the relay knows this end by its former mapping
  }
  relay_.on_udp(true);
  if (another && signalling_ && signalling_->state() == signalling::Client::State::kJoined) {
    introducer_->on_joined(false, now);
    signalling_->on_network_change();
  }
  update_candidates(now);
}

void Client::ask_for_introduction(Time now) {
  if (auto sealed = introducer_->on_deadline(parts_.memory, now)) {
    remember();  // the number that it carries is used up, whatever happens
    signalling_->introduce(IdentityId{crypto_.sha256(box_->public_key)}, std::move(*sealed), relayed());
  }
}

void Client::perform(const nat::PresenceActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* send_action = std::get_if<nat::SendDatagram>(&action)) {
      send(send_action->to, send_action->bytes);
    } else if (const auto* changed = std::get_if<nat::MappingChanged>(&action)) {
      on_mapping(changed->mapped, now);
    } else if (std::holds_alternative<nat::PresenceLost>(action)) {
      parts_.log.warning("presence_lost", {{"error", "the rendezvous does not answer on UDP"}});
      relay_.on_udp(false);
      update_candidates(now);
    }
  }
}

// Where the box can try to reach this client.
void Client::update_candidates(Time now) {
  if (!introducer_) {
    return;
  }
  std::vector<signalling::IntroducedCandidate> candidates;
  if (const auto mapped = presence_.mapped()) {
    candidates.push_back({signalling::CandidateType::kServerReflexive, *mapped});
  }
  for (const Endpoint& at : relayed()) {
    candidates.push_back({signalling::CandidateType::kRelayed, at});
  }
  if (const auto interfaces = linux::list_interfaces()) {
    for (const auto& interface : *interfaces) {
      if (parts_.tun && interface.index == parts_.tun->index()) {
        continue;  // a tunnel cannot run through itself
      }
      for (const auto& at : interface.addresses) {
        if (interface.up && !interface.loopback && !at.deprecated && !at.tentative &&
            !at.address.is_link_local()) {
          candidates.push_back({signalling::CandidateType::kHost, {at.address, parts_.socket.port()}});
        }
      }
    }
  }
  introducer_->set_candidates(std::move(candidates), now);
}

void Client::on_network_change() {
  const Time now = Clock::now();
  if (introducer_) {
    introducer_->on_joined(false, now);  // it is left below, and joined again from here
    introducer_->on_doubt(link_->has_path(), now);
  }
  update_candidates(now);
  if (link_) {
    if (relay_policy() != signalling::RelayPolicy::kAlways) {
      link_->on_candidates(known_candidates(), now);  // perhaps of another family than before
    }
    link_->on_network_change(now);
  }
  perform(presence_.on_network_change(now), now);
  perform(relay_.on_network_change(now), now);
  if (names_) {
    names_->on_network_change();
  }
  if (lan_) {
    lan_->on_network_change();
  }
  if (signalling_) {
    signalling_->on_network_change();
  }
  arm();
}

std::string Client::rendezvous_text() const {
  if (!signalling_) {
    return box_ && box_->rendezvous ? "its address is unusable" : "none is known";
  }
  switch (signalling_->state()) {
    case signalling::Client::State::kJoined:
      return introducer_ && !introducer_->last_error().empty() ? "connected; " + introducer_->last_error()
                                                               : "connected";
    case signalling::Client::State::kConnecting:
    case signalling::Client::State::kGreeting:
      return "connecting";
    case signalling::Client::State::kWaiting:
      break;
  }
  return signalling_->last_error().empty() ? "connecting" : "not reachable: " + signalling_->last_error();
}

}  // namespace hearthcast::away
