// The rendezvous' own machine: greets clients, keeps their presence, and carries introductions and pairings
// between a device and a box that both connected. It reads no payload. Source: docs/protocol/introduction.md.
//
// Pure: sessions are numbers that the caller gives to its connections, each higher than the last; the caller
// performs the returned actions and calls on_deadline() at next_deadline(). Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rendezvous-server/introduce/quiet_boxes.hpp"
#include "rendezvous-server/introduce/relay_accounts.hpp"
#include "rendezvous-server/registry/allow_lists.hpp"
#include "rendezvous-server/registry/directory.hpp"
#include "rendezvous-server/registry/rate_limiter.hpp"
#include "rendezvous-server/registry/registry.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::rendezvous {

struct Send {
  SessionId to;
  std::string text;
};
struct Close {
  SessionId session;
  std::string reason;
};
struct StoreAllow {  // durable before the next restart; nothing waits for it
  AllowRecord record;
};
struct StoreChange {  // of the directory; the same
  Change change;
};
using Action = std::variant<Send, SendDatagram, Close, StoreAllow, StoreChange>;
using Actions = std::vector<Action>;

// Which boxes the operator lets in that are not in the directory yet.
enum class Enrolment : std::uint8_t {
  kOpen,    // every one, within limits
  kToken,   // with a token that the operator made
  kClosed,  // none
};

struct Policy {
  Enrolment enrolment = Enrolment::kOpen;
  std::string contact;  // told to whom is refused: how to reach the operator; empty: nothing
  std::function<std::int64_t()> unix_time = [] { return std::int64_t{0}; };  // the wall clock, in seconds
  Duration hello_timeout = std::chrono::seconds{10};
  Duration request_timeout = std::chrono::seconds{15};
  Rate hellos{60, std::chrono::minutes{1}};         // per source prefix
  Rate new_boxes{20, std::chrono::hours{1}};        // per source prefix: boxes that enrol, or try a token
  Rate introductions{30, std::chrono::minutes{1}};  // per device
  Rate box_load{60, std::chrono::minutes{1}};       // per box: introductions and pairings that it is asked
  Rate pairings{10, std::chrono::minutes{1}};       // per source prefix
  Rate moves{30, std::chrono::minutes{1}};          // per box: what its devices are told of where it is
  Rate messages{120, std::chrono::minutes{1}};      // per session
  std::uint32_t presence_interval_s = 20;
  std::uint16_t presence_port = 3478;
  std::size_t max_boxes = 50000;  // in the directory
  RelayPolicy relay;              // its credentials are said after the welcome and renewed in time
};

struct ServiceCounters {
  std::uint64_t hellos = 0;
  std::uint64_t bad_hellos = 0;
  std::uint64_t bad_messages = 0;
  std::uint64_t introductions = 0;  // carried to a box
  std::uint64_t answers = 0;        // carried back, refusals included
  std::uint64_t pairings = 0;
  std::uint64_t knocks = 0;   // boxes without a WebSocket that were told of a device
  std::uint64_t refused = 0;  // not allowed, not present, no pairing
  std::uint64_t moves = 0;    // told to devices of a box
  std::uint64_t limited = 0;  // over a rate
  std::uint64_t enrolled = 0;
  std::uint64_t not_enrolled = 0;  // hellos of boxes that are closed or not let in
};

class Service {
 public:
  // crypto and random outlive the service. server_key: SHA-256 of the TLS key that clients see.
  Service(const Crypto& crypto, Random& random, const Sha256& server_key, std::string software,
          Policy policy);

  [[nodiscard]] AllowLists& allow_lists() { return allow_lists_; }  // to load at start
  [[nodiscard]] Directory& directory() { return directory_; }       // to load, and for the operator's changes
  // After an operator's change to this box: one that is closed or forgotten leaves.
  [[nodiscard]] Actions on_box_changed(const IdentityId& box);
  // Before a restart: lets nobody in any more and sends the ones who are here away one by one, the last when
  // `over` has passed. They come back after retry_s and a random part of as much again.
  [[nodiscard]] Actions drain(Duration over, std::uint32_t retry_s, Time now);
  void resume() { drain_.reset(); }
  [[nodiscard]] bool draining() const { return drain_.has_value(); }
  // The server shows another key from now on; who connected under the last one is still taken.
  void set_server_key(const Sha256& key);

  [[nodiscard]] Actions on_open(SessionId id, const Endpoint& from, Time now);
  [[nodiscard]] Actions on_text(SessionId id, std::string_view text, Time now);
  void on_closed(SessionId id, Time now);
  [[nodiscard]] Actions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  // The password behind a presence username, and the mapping that a request proven with it came from: the
  // client is told of a new one, and of a box's also those of its devices that are here.
  [[nodiscard]] const std::string* presence_password(const std::string& username);
  [[nodiscard]] Actions on_presence(const std::string& username, const Endpoint& from, Time now);
  // True when a datagram at the presence port was a box's answer to one of ours.
  [[nodiscard]] bool on_answer(Bytes datagram) { return quiet_.on_answer(datagram); }

  [[nodiscard]] const Registry& registry() const { return registry_; }
  [[nodiscard]] const ServiceCounters& counters() const { return counters_; }

 private:
  struct Guest {  // connected, not greeted yet
    std::array<std::uint8_t, 32> nonce{};
    Endpoint from;
    Time deadline;
  };
  struct Request {  // carried to a box, waiting for its answer
    SessionId box;
    SessionId device;
    std::uint64_t device_id = 0;  // the id that the device chose
    bool pairing = false;
    Time deadline;
  };

  struct Drain {
    Duration step;  // between two that are sent away
    std::uint32_t retry_s;
    Time next;
  };

  void handle(SessionId id, const Guest& guest, const signalling::Message& message, Time now, Actions& out);
  [[nodiscard]] bool is_proven(const signalling::Hello& hello, const Guest& guest) const;
  // False after refusing a box that the operator does not let in; enrols one that shows a good token.
  bool admit(SessionId id, const signalling::Hello& hello, const Guest& guest, Time now, Actions& out);
  void send_away(SessionId id, Actions& out);
  void handle(Session& session, signalling::Allow&& message, Time now, Actions& out);
  void handle(Session& session, signalling::PairingWindow&& message, Time now, Actions& out);
  void handle(Session& session, signalling::Moved&& message, Time now, Actions& out);
  void handle(Session& session, signalling::IntroduceRequest&& message, Time now, Actions& out);
  void knock(const Session& device, const signalling::IntroduceRequest& message, Time now, Actions& out);
  void handle(Session& session, signalling::IntroduceAnswer&& message, Actions& out);
  void handle(Session& session, signalling::IntroduceRefusal&& message, Actions& out);
  void handle(Session& session, signalling::PairRequest&& message, Time now, Actions& out);
  void handle(Session& session, signalling::PairAnswer&& message, Actions& out);
  void dispatch(Session& session, signalling::Message&& message, Time now, Actions& out);

  void send(SessionId to, const signalling::Message& message, Actions& out) const;
  void refuse(SessionId to, std::optional<std::uint64_t> id, signalling::ErrorCode code, std::string text,
              Actions& out) const;
  void drop(SessionId id, signalling::ErrorCode code, std::string text, Actions& out,
            std::optional<std::uint32_t> retry_s = std::nullopt);
  void tell_devices(const Session& box, const std::vector<Endpoint>& endpoints, Time now, Actions& out);
  void give_relays(Session& session, Time now, Actions& out);
  // The device's side of a request that this box was asked; removes it. Null: unknown, or of the other kind.
  std::optional<Request> redeem(const Session& box, std::uint64_t id, bool pairing);
  [[nodiscard]] static std::vector<Endpoint> observed(const Session& session);
  [[nodiscard]] std::string random_text(std::size_t octets);

  const Crypto& crypto_;
  Random& random_;
  Sha256 server_key_;
  Sha256 last_server_key_;
  std::string software_;
  Policy policy_;
  Registry registry_;
  QuietBoxes quiet_;
  AllowLists allow_lists_;
  Directory directory_;
  std::optional<Drain> drain_;
  std::map<SessionId, Guest> guests_;
  std::map<std::uint64_t, Request> requests_;
  std::uint64_t next_request_ = 1;
  RateLimiter<IpAddress> hellos_;
  RateLimiter<IpAddress> new_boxes_;
  RateLimiter<IdentityId> introductions_;
  RateLimiter<IdentityId> box_load_;
  RateLimiter<IpAddress> pairings_;
  RateLimiter<IdentityId> moves_;
  RateLimiter<SessionId> messages_;
  ServiceCounters counters_;
};

// What is counted as one source: an IPv4 address, or an IPv6 /56.
[[nodiscard]] IpAddress source_prefix(const IpAddress& address);

}  // namespace hearthcast::rendezvous
