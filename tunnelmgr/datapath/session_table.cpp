#include "tunnelmgr/datapath/session_table.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::datapath {
namespace {

constexpr std::size_t kMaxEndpoints = 4;

}  // namespace

void SessionTable::claim(Peer& peer, const Endpoint& endpoint, bool first) {
  if (const auto owner = endpoints_.find(endpoint); owner != endpoints_.end()) {
    std::erase(owner->second->accepted, endpoint);
  }
  peer.accepted.insert(peer.accepted.begin() + (first || peer.accepted.empty() ? 0 : 1), endpoint);
  if (peer.accepted.size() > kMaxEndpoints) {
    endpoints_.erase(peer.accepted.back());
    peer.accepted.pop_back();
  }
  endpoints_[endpoint] = &peer;
}

void SessionTable::add(AddSession message) {
  auto& slot = peers_[message.peer];
  if (!slot) {
    slot = std::make_unique<Peer>();
    slot->id = message.peer;
  }
  slot->session = std::move(message.session);
  claim(*slot, message.endpoint, true);
  slot->endpoint = message.endpoint;
}

void SessionTable::move(const MoveSession& message) {
  if (Peer* peer = find(message.peer); peer != nullptr) {
    claim(*peer, message.endpoint, true);
    peer->endpoint = message.endpoint;
  }
}

void SessionTable::hear(const HearSession& message) {
  if (Peer* peer = find(message.peer); peer != nullptr && message.endpoint != peer->endpoint) {
    claim(*peer, message.endpoint, false);
  }
}

std::unique_ptr<Peer> SessionTable::remove(PeerId id) {
  const auto at = peers_.find(id);
  if (at == peers_.end()) {
    return nullptr;
  }
  auto peer = std::move(at->second);
  peers_.erase(at);
  for (const auto& endpoint : peer->accepted) {
    endpoints_.erase(endpoint);
  }
  return peer;
}

Peer* SessionTable::find(const Endpoint& from) {
  const auto at = endpoints_.find(from);
  return at == endpoints_.end() ? nullptr : at->second;
}

Peer* SessionTable::find(PeerId id) {
  const auto at = peers_.find(id);
  return at == peers_.end() ? nullptr : at->second.get();
}

}  // namespace hearthcast::datapath
