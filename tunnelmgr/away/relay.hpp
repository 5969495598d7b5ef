// The client's use of TURN relays: when it holds an allocation and over which transport, whom it lets speak
// to it, and why a path goes through it, in words. Pure: datagrams and the time in, actions out; the
// allocation itself is nat::TurnClient, a stream to a relay is the data thread's. Not thread-safe.
//
// A direct path gets a moment first. Then the relays are asked in their order, each over its transport, until
// one answers; the allocation is given up again once a direct path has carried for a while.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/nat/turn_client.hpp"
#include "tunnelmgr/signalling/relay_policy.hpp"
#include "tunnelmgr/signalling/relay_url.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::away {

using RelayTransport = signalling::RelayUrl::Transport;

struct RelayServer {
  Endpoint endpoint;
  RelayTransport transport = RelayTransport::kUdp;
  std::string host;  // as its certificate names it
  friend bool operator==(const RelayServer&, const RelayServer&) = default;
};

struct RelayAccount {
  std::vector<RelayServer> servers;  // in the order in which they are tried
  std::string username;
  std::string password;
};

struct RelaySend {
  Endpoint to;
  bool on_stream = false;  // else on the shared socket
  Buffer bytes;
};
struct RelayConnect {  // a stream, instead of any other; what becomes of it: on_stream()
  std::uint64_t id = 0;
  RelayServer server;
};
struct RelayArrived {  // from a peer behind the relay
  Endpoint from;       // wire/channel_endpoint.hpp
  Buffer bytes;
};
struct RelayChanged {};  // server() or relayed() is another one
struct RelayFailed {     // no allocation there for now; another way, or the same later, is tried
  std::string reason;
};
using RelayAction = std::variant<RelaySend, RelayConnect, RelayArrived, RelayChanged, RelayFailed>;
using RelayActions = std::vector<RelayAction>;

class Relay {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds{400};
  static constexpr Duration kSettled = std::chrono::minutes{1};
  // For a relay's first answer over UDP, where there is another transport: while nothing shows that UDP
  // passes, and when something does.
  static constexpr Duration kUdpPatience = std::chrono::milliseconds{600};
  static constexpr Duration kProvenUdpPatience = std::chrono::seconds{3};
  static constexpr Duration kStreamPatience = std::chrono::seconds{5};  // for connection and for answer
  static constexpr Duration kFirstPause = std::chrono::seconds{2};      // after the last one failed; doubles
  static constexpr Duration kLastPause = std::chrono::minutes{1};
  // An allocation that no path comes of may belong to a mapping that a NAT has forgotten: it is made anew;
  // doubles up to kLastPause.
  static constexpr Duration kVain = std::chrono::seconds{10};

  // All outlive it.
  Relay(const Crypto& crypto, const OldHashes& hashes, Random& random) : client_(crypto, hashes, random) {}

  // At first kAuto.
  [[nodiscard]] RelayActions set_policy(signalling::RelayPolicy policy, Time now);
  // What the rendezvous gave; good for `lifetime` from now.
  [[nodiscard]] RelayActions on_account(RelayAccount account, Duration lifetime, Time now);
  // The path that is used now, if any; the first call begins the search.
  [[nodiscard]] RelayActions on_path(const std::optional<Endpoint>& selected, Time now);
  // Where the box may be: only from there does the relay let datagrams through. Private ones are left out.
  [[nodiscard]] RelayActions set_peers(const std::vector<Endpoint>& candidates, Time now);
  // Whether the rendezvous answers over UDP.
  void on_udp(bool passes) { udp_passes_ = passes; }
  // The stream of a RelayConnect is open, or is not (any more) and why.
  [[nodiscard]] RelayActions on_stream(std::uint64_t id, bool open, const std::string& reason, Time now);
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

  [[nodiscard]] bool has_account() const { return account_.has_value(); }
  [[nodiscard]] std::optional<Endpoint> server() const;    // while it is in use
  [[nodiscard]] std::optional<Endpoint> relayed() const;   // where the box can send to
  [[nodiscard]] std::optional<Endpoint> relayed6() const;  // and in IPv6, where the relay has both
  [[nodiscard]] RelayTransport transport() const { return current_ ? current_->transport : RelayTransport(); }
  // Why a path goes through it, as far as the two mappings show. mapped: this end as the rendezvous sees it.
  [[nodiscard]] std::string reason(const Endpoint& path, const std::optional<Endpoint>& mapped) const;
  [[nodiscard]] const nat::TurnClient& client() const { return client_; }

 private:
  [[nodiscard]] RelayActions translate(const nat::TurnActions& actions, Time now);
  [[nodiscard]] RelayActions begin(Time now);
  void expect_path(Time now);
  [[nodiscard]] RelayActions attempt(Time now);
  [[nodiscard]] RelayActions ask(Time now);
  [[nodiscard]] RelayActions drop();
  [[nodiscard]] RelayActions try_next(Time now);
  [[nodiscard]] Duration patience() const;
  [[nodiscard]] bool by_stream() const { return current_ && current_->transport != RelayTransport::kUdp; }

  nat::TurnClient client_;
  signalling::RelayPolicy policy_ = signalling::RelayPolicy::kAuto;
  std::optional<RelayAccount> account_;
  Time account_until_{};
  std::vector<Endpoint> candidates_;  // of the box
  bool searching_ = false;            // on_path() was called
  std::optional<Endpoint> path_;
  bool udp_passes_ = false;
  std::optional<RelayServer> current_;  // tried or used
  std::size_t index_ = 0;               // of it in the account
  std::uint64_t stream_ = 0;            // the last RelayConnect
  int rounds_ = 0;                      // in which none answered
  Time begin_at_ = kNever;
  Time give_up_at_ = kNever;  // this server
  Time end_at_ = kNever;
  Time vain_at_ = kNever;
  int vain_ = 0;  // allocations in a row that no path came of
};

[[nodiscard]] const char* to_string(RelayTransport transport);

}  // namespace hearthcast::away
