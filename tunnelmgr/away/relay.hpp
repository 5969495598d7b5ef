// When the client holds an allocation on a relay, whom it lets speak to it, and why a path leads through one,
// in words. Pure: what happened and the time in, actions out; the relays themselves are nat::RelayClient's.
// Not thread-safe.
//
// A direct path gets a moment first. Then the relays are asked; the allocation is given up again once a
// direct path has carried for a while.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/nat/relay_client.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"

namespace hearthcast::away {

class Relay {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds{400};
  static constexpr Duration kSettled = std::chrono::minutes{1};
  // An allocation that no path comes of may belong to a mapping that a NAT has forgotten: it is made anew;
  // doubles up to RelayClient::kLastPause.
  static constexpr Duration kVain = std::chrono::seconds{10};

  // All outlive it.
  Relay(const Crypto& crypto, const OldHashes& hashes, Random& random) : held_(crypto, hashes, random) {}

  // At first kAuto.
  [[nodiscard]] nat::RelayActions set_policy(signalling::RelayPolicy policy, Time now);
  // As RelayClient::on_account().
  [[nodiscard]] nat::RelayActions on_account(nat::RelayAccount account, Duration lifetime, Time now);
  // The path that is used now, if any; the first call begins the search.
  [[nodiscard]] nat::RelayActions on_path(const std::optional<Endpoint>& selected, Time now);
  // A direct path that is in use does not answer, or answers again. One that has not come back or given way
  // to another after kPatience may not before its consent ends: an allocation is made meanwhile.
  void on_doubt(bool doubted, Time now);
  // Where the box may be: only from there does the relay let datagrams through. Private ones are left out.
  [[nodiscard]] nat::RelayActions set_peers(const std::vector<Endpoint>& candidates, Time now);
  // Where the box is behind a relay of its own: the same. It has one only where UDP does not pass at home.
  [[nodiscard]] nat::RelayActions set_box_relays(std::vector<Endpoint> relays, Time now);
  // Whether the rendezvous answers over UDP.
  void on_udp(bool passes) { held_.on_udp(passes); }
  // The stream of a RelayConnect is open, or is not (any more) and why.
  [[nodiscard]] nat::RelayActions on_stream(std::uint64_t id, bool open, const std::string& reason, Time now);
  // The client stops.
  [[nodiscard]] nat::RelayActions stop();
  // The box is another one: the account was of the former one's rendezvous.
  [[nodiscard]] nat::RelayActions forget();

  // From server(), a STUN message. False: it is none of the relay's.
  [[nodiscard]] bool takes(const Endpoint& from, const wire::StunMessage& decoded) const {
    return held_.takes(from, decoded);
  }
  [[nodiscard]] nat::RelayActions on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now);
  // To an endpoint of wire/channel_endpoint.hpp.
  [[nodiscard]] nat::RelayActions send(const Endpoint& to, Bytes datagram, Time now);
  [[nodiscard]] nat::RelayActions on_network_change(Time now);
  [[nodiscard]] nat::RelayActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] bool has_account() const { return held_.has_account(); }
  [[nodiscard]] std::optional<Endpoint> server() const { return held_.server(); }  // while it is in use
  [[nodiscard]] std::optional<Endpoint> relayed() const { return held_.relayed(); }
  [[nodiscard]] std::optional<Endpoint> relayed6() const { return held_.relayed6(); }
  [[nodiscard]] wire::TurnTransport transport() const { return held_.transport(); }
  // Why that path leads through a relay, as far as the two mappings show. mapped: this end as the rendezvous
  // sees it.
  [[nodiscard]] std::string reason(const Endpoint& path, const std::optional<Endpoint>& mapped) const;

 private:
  [[nodiscard]] nat::RelayActions permit(Time now);
  [[nodiscard]] nat::RelayActions watch(nat::RelayActions actions, Time now);
  [[nodiscard]] nat::RelayActions begin(Time now);
  void begin_soon(Time now);
  void expect_path(Time now);

  nat::RelayClient held_;
  signalling::RelayPolicy policy_ = signalling::RelayPolicy::kAuto;
  std::vector<Endpoint> candidates_;  // of the box
  std::vector<Endpoint> box_relays_;
  bool searching_ = false;  // on_path() was called
  std::optional<Endpoint> path_;
  Time begin_at_ = kNever;
  Time end_at_ = kNever;
  Time vain_at_ = kNever;
  int vain_ = 0;  // allocations in a row that no path came of
};

}  // namespace hearthcast::away
