// One allocation on a TURN relay (RFC 8656): makes it, keeps it, gives peers permissions and channels, and
// makes it again with back-off when it is lost. No I/O: it is given what the relay sent and the time, and
// returns what to do. Not thread-safe. Bad input is counted and has no effect.
//
// A peer is known by a channel number from its first word on, whether the relay has bound the channel yet or
// not: until it has, datagrams travel in Send and Data indications. What has come in ChannelData the owner
// unwraps itself (wire/channel_data.hpp), and once a channel is bound it may wrap, too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/nat/long_term.hpp"
#include "tunnelmgr/nat/turn_timing.hpp"
#include "tunnelmgr/wire/channel_data.hpp"

namespace hearthcast::nat {

struct TurnAccount {
  Endpoint server;
  std::string username;
  std::string password;
  bool reliable = false;  // on a stream, which repeats for itself
};

struct TurnSend {  // to server()
  Buffer bytes;
};
struct TurnAllocated {
  Endpoint relayed;  // where peers send to
  Endpoint mapped;   // this end as the relay sees it
  // Where peers of IPv6 send to, from a relay that serves both families. `relayed` is of IPv4 then.
  std::optional<Endpoint> relayed6 = std::nullopt;
};
struct TurnReceived {  // from a peer, in an indication
  std::uint16_t channel = 0;
  Buffer bytes;
};
struct TurnRedirected {};  // server() is another one from now on
// There is no allocation, and why, for people. It is tried again by itself.
struct TurnLost {
  std::string reason;
};

using TurnAction = std::variant<TurnSend, TurnAllocated, TurnReceived, TurnRedirected, TurnLost>;
using TurnActions = std::vector<TurnAction>;

struct TurnCounters {
  std::uint64_t requests = 0;  // repetitions included
  std::uint64_t bad_answers = 0;
  std::uint64_t stale_nonces = 0;
  std::uint64_t refused_peers = 0;
};

class TurnClient {
 public:
  static constexpr std::size_t kMaxChannels = 32;  // as many as an agent has pairs
  static constexpr std::size_t kMaxPermissions = 64;
  static constexpr int kMaxRedirects = 2;

  // All outlive it.
  TurnClient(const Crypto& crypto, const OldHashes& hashes, Random& random, TurnTiming timing = {});

  // Asks for an allocation. One that is there on the same server stays as it is, since it belongs to the
  // username that it was made by; the new account is for the next.
  [[nodiscard]] TurnActions start(TurnAccount account, Time now);
  // Gives the allocation back and is idle, without the account.
  [[nodiscard]] TurnActions stop();
  // Addresses whose datagrams the relay is to let through, instead of those named before. Of a family that
  // the allocation lacks none can come.
  [[nodiscard]] TurnActions permit(std::vector<IpAddress> peers, Time now);
  // The number by which a peer is spoken to.
  [[nodiscard]] std::uint16_t channel(const Endpoint& peer, Time now);
  // The same of a peer that this end speaks to first: its number stays, whether it answers or not.
  [[nodiscard]] std::uint16_t call(const Endpoint& peer, Time now);
  // The first datagram also has the channel bound. Nothing without an allocation or for an unknown number.
  [[nodiscard]] TurnActions send(std::uint16_t channel, Bytes bytes, Time now);
  // A STUN message that came from server().
  [[nodiscard]] TurnActions on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now);
  // This end's address changed: the relay knows the old one. Begins anew.
  [[nodiscard]] TurnActions on_network_change(Time now);
  [[nodiscard]] TurnActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] bool active() const { return state_ != State::kIdle; }
  [[nodiscard]] const Endpoint& server() const { return account_.server; }
  [[nodiscard]] const std::optional<TurnAllocated>& allocation() const { return allocation_; }
  [[nodiscard]] std::optional<Endpoint> peer(std::uint16_t channel) const;
  [[nodiscard]] bool bound(std::uint16_t channel) const;
  [[nodiscard]] const std::string& last_error() const { return last_error_; }
  [[nodiscard]] const TurnCounters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { kIdle, kAllocating, kAllocated, kWaiting };
  struct Request {
    std::uint16_t method = 0;
    wire::TransactionId id{};
    IpAddress address{};        // CreatePermission
    std::uint16_t channel = 0;  // ChannelBind
    bool giving_back = false;   // Refresh with a lifetime of zero
    bool both = false;          // Allocate in both families
    bool sealed = false;
    int challenges = 0;
    int tries = 0;
    Buffer bytes{};
    Time next = kNever;
  };
  struct Permission {
    Time renew_at{};  // kNever: asked, or refused for good
    bool refused = false;
  };
  struct Channel {
    Endpoint peer;
    bool asked = false;
    bool bound = false;
    Time renew_at = kNever;
    Time used{};
  };

  // turn_requests.cpp
  void ask(Request request, Time now, TurnActions& out);
  [[nodiscard]] wire::StunMessage message_of(const Request& request) const;
  void transmit(Request& request, Time now, TurnActions& out);
  void on_timeout(const Request& request, Time now, TurnActions& out);
  void on_success(const Request& request, const wire::StunMessage& answer, Time now, TurnActions& out);
  void on_error(const Request& request, const wire::StunMessage& answer, Time now, TurnActions& out);
  void on_refusal(const Request& request, std::uint16_t code, Time now, TurnActions& out);
  bool redirect(const wire::StunMessage& answer, Time now, TurnActions& out);

  // turn_client.cpp
  void allocate(Time now, TurnActions& out);
  void lose(std::string reason, Duration at_least, Time now, TurnActions& out);
  void forget_allocation();
  void bind(std::uint16_t number, Time now, TurnActions& out);
  void renew(Time now, TurnActions& out);
  [[nodiscard]] bool serves(Family family) const;
  void on_data(const wire::StunMessage& indication, Time now, TurnActions& out);
  [[nodiscard]] std::uint16_t free_number();

  Random& random_;
  TurnTiming timing_;
  LongTerm credentials_;
  State state_ = State::kIdle;
  TurnAccount account_;
  std::optional<TurnAllocated> allocation_;
  Time refresh_at_ = kNever;
  Time retry_at_ = kNever;
  Time sent_{};  // the last datagram to the relay
  int failures_ = 0;
  int redirects_ = 0;
  bool gave_back_ = false;  // a former run's allocation, for this attempt
  std::vector<Request> requests_;
  std::map<IpAddress, Permission> permissions_;
  std::map<std::uint16_t, Channel> channels_;
  std::uint16_t next_number_ = wire::kFirstChannel;
  std::optional<std::uint16_t> provisional_;  // of a peer that nobody has answered yet
  std::string last_error_;
  TurnCounters counters_;
};

// What a relay's error means, for people.
[[nodiscard]] std::string describe_turn_error(std::uint16_t code);

}  // namespace hearthcast::nat
