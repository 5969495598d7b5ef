// The client's use of a TURN relay: when it holds an allocation, whom it lets speak to it, and why a path
// goes through it, in words. Pure: datagrams and the time in, actions out; the allocation itself is
// nat::TurnClient. Not thread-safe.
//
// A direct path gets a moment first. Then the relay is asked, and given up again once a direct path has
// carried for a while.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/nat/turn_client.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::away {

struct RelaySend {  // on the shared socket
  Endpoint to;
  Buffer bytes;
};
struct RelayArrived {  // from a peer behind the relay
  Endpoint from;       // wire/channel_endpoint.hpp
  Buffer bytes;
};
struct RelayChanged {};  // server() or relayed() is another one
struct RelayFailed {     // no allocation for now; it is tried again
  std::string reason;
};
using RelayAction = std::variant<RelaySend, RelayArrived, RelayChanged, RelayFailed>;
using RelayActions = std::vector<RelayAction>;

class Relay {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds{400};
  static constexpr Duration kSettled = std::chrono::minutes{1};

  // All outlive it.
  Relay(const Crypto& crypto, const OldHashes& hashes, Random& random) : client_(crypto, hashes, random) {}

  // What the rendezvous gave; good for `lifetime` from now.
  [[nodiscard]] RelayActions on_account(nat::TurnAccount account, Duration lifetime, Time now);
  // The path that is used now, if any; the first call begins the search.
  [[nodiscard]] RelayActions on_path(const std::optional<Endpoint>& selected, Time now);
  // Where the box may be: only from there does the relay let datagrams through. Private ones are left out.
  [[nodiscard]] RelayActions set_peers(const std::vector<Endpoint>& candidates, Time now);
  // The box is another one, or the client stops.
  [[nodiscard]] RelayActions stop();

  // From server(), a STUN message. False: it is none of the relay's.
  [[nodiscard]] bool takes(const Endpoint& from, const wire::StunMessage& decoded) const;
  [[nodiscard]] RelayActions on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now);
  // To an endpoint of wire/channel_endpoint.hpp.
  [[nodiscard]] RelayActions send(const Endpoint& to, Bytes datagram, Time now);
  [[nodiscard]] RelayActions on_network_change(Time now);
  [[nodiscard]] RelayActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] std::optional<Endpoint> server() const;   // while it is in use
  [[nodiscard]] std::optional<Endpoint> relayed() const;  // where the box can send to
  // Why a path goes through it, as far as the two mappings show. mapped: this end as the rendezvous sees it.
  [[nodiscard]] std::string reason(const Endpoint& path, const std::optional<Endpoint>& mapped) const;
  [[nodiscard]] const nat::TurnClient& client() const { return client_; }

 private:
  [[nodiscard]] RelayActions translate(const nat::TurnActions& actions);
  [[nodiscard]] RelayActions begin(Time now);

  nat::TurnClient client_;
  std::optional<nat::TurnAccount> account_;
  Time account_until_{};
  std::vector<Endpoint> candidates_;  // of the box
  bool searching_ = false;            // on_path() was called
  std::optional<Endpoint> path_;
  Time begin_at_ = kNever;
  Time end_at_ = kNever;
};

}  // namespace hearthcast::away
