#include "tests/sim/seeds/proofs.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/seeds/datagram_kind.hpp"

namespace hearthcast::sim {
namespace {

constexpr std::size_t kChecksKept = 512;
constexpr std::size_t kMostGrowth = 3;

}  // namespace

bool Proofs::is_proven(const Endpoint& endpoint, Time now) const {
  const auto at = peers_.find(endpoint);
  return at != peers_.end() && at->second.proven && now - *at->second.proven <= kProof;
}

std::optional<std::string> Proofs::on_sent(const Endpoint& to, Bytes datagram, Time now) {
  Peer& peer = peers_[to];
  if (is_request(datagram)) {
    checks_.push_back({transaction_of(datagram), to});
    if (checks_.size() > kChecksKept) {
      checks_.pop_front();
    }
  }
  if (is_proven(to, now)) {
    return std::nullopt;
  }
  if (std::exchange(peer.proven, std::nullopt)) {  // not any more: it begins anew
    peer.sent = 0;
    peer.received = 0;
    on_told(to, now);  // it is known, and looked for now and then
  }
  if (is_record(datagram)) {
    return "a record to " + to.to_string() + ", which is not proven";
  }
  peer.sent += datagram.size();
  std::size_t allowed = kMostGrowth * peer.received + peer.allowance;
  if (peer.told) {
    allowed += kToldPerSecond * static_cast<std::size_t>((now - *peer.told) / std::chrono::seconds{1});
  }
  if (peer.sent > allowed) {
    return std::to_string(peer.sent) + " octets to " + to.to_string() + ", which is not proven and sent " +
           std::to_string(peer.received) + (peer.told ? ", beyond what checks of it may take" : "");
  }
  return std::nullopt;
}

void Proofs::on_received(const Endpoint& from, Bytes datagram, bool genuine, Time now) {
  Peer& peer = peers_[from];
  peer.received += datagram.size();
  if (!genuine || !is_success(datagram)) {
    return;
  }
  const Id id = transaction_of(datagram);
  const auto check =
      std::ranges::find_if(checks_, [&](const Check& c) { return c.id == id && c.to == from; });
  if (check != checks_.end()) {
    checks_.erase(check);
    peer.proven = now;
  }
}

void Proofs::on_told(const Endpoint& endpoint, Time now) {
  Peer& peer = peers_[endpoint];
  peer.allowance += kToldAllowance;
  peer.told = peer.told.value_or(now);
}

}  // namespace hearthcast::sim
