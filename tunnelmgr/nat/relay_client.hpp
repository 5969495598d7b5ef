// The relays that a rendezvous offers, as either end of a tunnel uses them: one allocation, on the first that
// answers, over UDP or on a stream. Whether one is wanted its owner decides. Pure: datagrams and the time in,
// actions out; the allocation itself is TurnClient's, a stream to a relay is the data thread's. Not
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/nat/turn_client.hpp"
#include "tunnelmgr/wire/channel_endpoint.hpp"
#include "tunnelmgr/wire/turn_server.hpp"

namespace hearthcast::nat {

struct RelayAccount {
  std::vector<wire::TurnServer> servers;  // in the order in which they are tried
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
  wire::TurnServer server;
};
struct RelayArrived {  // from a peer behind the relay
  Endpoint from;       // wire/channel_endpoint.hpp
  Buffer bytes;
};
struct RelayChanged {      // server() or relayed() is another one
  bool allocated = false;  // by a new allocation
};
struct RelayFailed {  // no allocation there for now; another way, or the same later, is tried
  std::string reason;
};
using RelayAction = std::variant<RelaySend, RelayConnect, RelayArrived, RelayChanged, RelayFailed>;
using RelayActions = std::vector<RelayAction>;

class RelayClient {
 public:
  // For a relay's first answer over UDP, where there is another transport: while nothing shows that UDP
  // passes, and when something does.
  static constexpr Duration kUdpPatience = std::chrono::milliseconds{600};
  static constexpr Duration kProvenUdpPatience = std::chrono::seconds{3};
  static constexpr Duration kStreamPatience = std::chrono::seconds{5};  // for connection and for answer
  static constexpr Duration kFirstPause = std::chrono::seconds{2};      // after the last one failed; doubles
  static constexpr Duration kLastPause = std::chrono::minutes{1};

  // All outlive it.
  RelayClient(const Crypto& crypto, const OldHashes& hashes, Random& random)
      : client_(crypto, hashes, random) {}

  // What the rendezvous gave; good for `lifetime` from now. An allocation that is there stays; none is begun.
  [[nodiscard]] RelayActions on_account(RelayAccount account, Duration lifetime, Time now);
  // Asks from the first relay on, whatever there was before; nothing without an account that is good.
  [[nodiscard]] RelayActions begin(Time now);
  // Whether all are asked again when none has answered; at first they are.
  void set_wanted(bool wanted);
  // Gives it back.
  [[nodiscard]] RelayActions stop();
  // After stop(): the account is good no more.
  void forget_account() { account_.reset(); }

  // Whose datagrams it lets through, instead of those named before: only public ones have any, and the first
  // TurnClient::kMaxPermissions addresses.
  [[nodiscard]] RelayActions permit(const std::vector<Endpoint>& peers, Time now);
  // The endpoint by which a peer is spoken to that has not spoken first; nullopt while the relay serves none
  // of its family.
  [[nodiscard]] std::optional<Endpoint> call(const Endpoint& peer, Time now);
  // To an endpoint of wire/channel_endpoint.hpp.
  [[nodiscard]] RelayActions send(const Endpoint& to, Bytes datagram, Time now);

  // Whether the rendezvous answers over UDP.
  void on_udp(bool passes) { udp_passes_ = passes; }
  // The stream of a RelayConnect is open, or is not (any more) and why.
  [[nodiscard]] RelayActions on_stream(std::uint64_t id, bool open, const std::string& reason, Time now);
  // From server(), a STUN message. False: it is none of the relay's.
  [[nodiscard]] bool takes(const Endpoint& from, const wire::StunMessage& decoded) const;
  [[nodiscard]] RelayActions on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now);
  [[nodiscard]] RelayActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] bool has_account() const { return account_.has_value(); }
  [[nodiscard]] bool busy() const { return current_.has_value(); }  // asking one, or holding an allocation
  [[nodiscard]] std::optional<Endpoint> server() const;             // while it is in use
  [[nodiscard]] std::optional<Endpoint> relayed() const;            // where peers can send to
  [[nodiscard]] std::optional<Endpoint> relayed6() const;           // and in IPv6, where the relay has both
  [[nodiscard]] wire::TurnTransport transport() const {
    return current_ ? current_->transport : wire::TurnTransport();
  }
  [[nodiscard]] bool by_stream() const { return transport() != wire::TurnTransport::kUdp; }
  // Who is behind that endpoint; nullopt: nobody, or it is of no channel.
  [[nodiscard]] std::optional<Endpoint> peer(const Endpoint& behind) const;
  [[nodiscard]] const TurnClient& client() const { return client_; }

 private:
  [[nodiscard]] RelayActions translate(const TurnActions& actions, Time now);
  [[nodiscard]] RelayActions attempt(Time now);
  [[nodiscard]] RelayActions ask(Time now);
  [[nodiscard]] RelayActions drop();
  [[nodiscard]] RelayActions try_next(Time now);

  TurnClient client_;
  std::optional<RelayAccount> account_;
  Time account_until_{};
  std::vector<IpAddress> permitted_;
  bool wanted_ = true;
  bool udp_passes_ = false;
  std::optional<wire::TurnServer> current_;  // tried or used
  std::size_t index_ = 0;                    // of it in the account
  std::uint64_t stream_ = 0;                 // the last RelayConnect
  int rounds_ = 0;                           // in which none answered
  Time retry_at_ = kNever;
  Time give_up_at_ = kNever;  // this server
};

}  // namespace hearthcast::nat
