// When the box holds an allocation on a relay: while UDP does not pass its home network, since nothing else
// leads to it then; and whom it lets speak to it: the devices that were introduced last. Pure: what happened
// and the time in, actions out; the relays themselves are nat::RelayClient's. Not thread-safe.
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/nat/candidate.hpp"
#include "tunnelmgr/nat/relay_client.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"

namespace hearthcast::app {

class BoxRelay {
 public:
  static constexpr Duration kSettled = std::chrono::minutes{1};  // UDP passes, and no device needs it
  static constexpr std::size_t kMaxGuestAddresses = 8;           // that may speak to it for one device

  // All outlive it.
  BoxRelay(const Crypto& crypto, const OldHashes& hashes, Random& random, signalling::RelayPolicy policy)
      : held_(crypto, hashes, random), policy_(policy) {}

  // As RelayClient::on_account().
  [[nodiscard]] nat::RelayActions on_account(nat::RelayAccount account, Duration lifetime, Time now);
  // The rendezvous answers over UDP; or it does not, and is connected.
  [[nodiscard]] nat::RelayActions on_udp(bool passes, Time now);
  // The home network is another one, perhaps.
  [[nodiscard]] nat::RelayActions on_network_change(Time now);
  // A device was introduced, and is looked for there: it may speak to the relay from those addresses, before
  // other devices that were introduced earlier.
  [[nodiscard]] nat::RelayActions on_introduced(const IdentityId& device,
                                                const std::vector<nat::Candidate>& candidates, Time now);
  // What that device is to be looked for at besides: behind this box's relay, where it is behind one itself.
  [[nodiscard]] std::vector<nat::Candidate> beyond(const std::vector<nat::Candidate>& candidates, Time now);
  // in_use: a device's path leads through it.
  [[nodiscard]] nat::RelayActions on_deadline(bool in_use, Time now);
  [[nodiscard]] Time next_deadline() const { return std::min(end_at_, held_.next_deadline()); }
  [[nodiscard]] nat::RelayActions stop();

  // Where devices can send to.
  [[nodiscard]] std::vector<nat::Candidate> candidates() const;
  // Why it is used, for people.
  [[nodiscard]] std::string reason() const;
  // UDP does not pass, as far as is known: the relay is the way to this box.
  [[nodiscard]] bool needed() const { return blocked_; }
  [[nodiscard]] nat::RelayClient& held() { return held_; }
  [[nodiscard]] const nat::RelayClient& held() const { return held_; }

 private:
  [[nodiscard]] nat::RelayActions begin(Time now);

  struct Guest {
    IdentityId device;
    std::vector<Endpoint> addresses;
  };

  nat::RelayClient held_;
  signalling::RelayPolicy policy_;
  bool blocked_ = false;
  std::list<Guest> guests_;  // whoever was introduced last first
  Time end_at_ = kNever;
};

}  // namespace hearthcast::app
