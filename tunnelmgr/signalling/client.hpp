// The machine that keeps a box or a device known at one rendezvous: connects, proves its key, asks and
// answers, and starts again for ever with jittered back-off. Source: docs/protocol/introduction.md.
//
// Pure: the caller performs the returned actions, tells what happened, and calls on_deadline() at
// next_deadline(). It checks no introduction: payloads go to the owner, who opens them with the pinned key.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/signalling/introduction.hpp"
#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::signalling {

// Towards the network.
struct Connect {};  // open a connection; tell on_connected() or on_closed()
struct SendText {
  std::string text;
};
struct Disconnect {  // close it; on_closed() may follow and is ignored
  std::string reason;
};
// Towards the owner.
struct Joined {  // after every welcome
  PresenceAccess presence;
  Endpoint observed;
};
struct Left {  // the connection is gone or could not be made; tried again at retry_at
  std::string reason;
  Time retry_at;
};
struct MappingSeen {
  Endpoint endpoint;
};
struct BoxMoved {  // device; a hint that nobody signed
  IdentityId box;
  std::vector<Endpoint> endpoints;
};
struct RelaysOffered {  // instead of those before
  RelayAccess access;
};
struct IntroductionAsked {  // box
  IntroduceOffer offer;
};
struct IntroductionAnswered {  // device; payload is unchecked, refusals included
  std::uint64_t id = 0;
  Sealed sealed;
  std::vector<Endpoint> observed;
};
struct ListOutdated {  // box: the list of set_allowed() is older than the one that the rendezvous keeps
  std::uint64_t revision = 0;  // of that one, as it says
};
struct PairingAsked {  // box
  PairOffer offer;
};
struct PairingAnswered {  // device
  std::uint64_t id = 0;
  std::string payload;
};
struct RequestFailed {  // device: an introduction or a pairing came to nothing
  std::uint64_t id = 0;
  std::optional<ErrorCode> code;  // absent: no answer in time, or the connection broke
  std::string text;
};

using ClientAction = std::variant<Connect, SendText, Disconnect, Joined, Left, MappingSeen, BoxMoved,
                                  RelaysOffered, IntroductionAsked, IntroductionAnswered, ListOutdated,
                                  PairingAsked, PairingAnswered, RequestFailed>;
using ClientActions = std::vector<ClientAction>;

struct ClientTiming {
  Duration connect_timeout = std::chrono::seconds{15};  // until welcome
  Duration request_timeout = std::chrono::seconds{10};
  Duration backoff_floor = std::chrono::seconds{1};
  Duration backoff_ceiling = std::chrono::seconds{60};
  Duration refused_backoff = std::chrono::minutes{5};  // another one with our identity is there, or the
                                                       // operator does not want us: do not fight
};

class Client {
 public:
  enum class State : std::uint8_t { kWaiting, kConnecting, kGreeting, kJoined };

  // identity and random outlive the client. It connects at its first deadline, which is now.
  Client(Role role, const Identity& identity, Random& random, std::string software, Time now,
         ClientTiming = {});

  // server_key: SHA-256 of the key that the server showed in TLS.
  [[nodiscard]] ClientActions on_connected(const Sha256& server_key, Time now);
  [[nodiscard]] ClientActions on_text(std::string_view text, Time now);
  [[nodiscard]] ClientActions on_closed(std::string reason, Time now);
  [[nodiscard]] ClientActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // The network has changed: connects anew at once (unless it was refused).
  [[nodiscard]] ClientActions on_network_change(Time now);

  // Box. Said with every hello, for a rendezvous whose operator lets in only who has one.
  void set_enrolment(std::string token) { enrolment_ = std::move(token); }
  // Box. Said again after every welcome.
  [[nodiscard]] ClientActions set_allowed(std::vector<IdentityId> devices, std::uint64_t revision);
  // Box. Where else its devices may find it now; nothing while it is not joined.
  [[nodiscard]] ClientActions tell_moved(std::vector<Endpoint> endpoints);
  [[nodiscard]] ClientActions open_pairing(std::string locator, Time until, Time now);
  [[nodiscard]] ClientActions close_pairing();
  [[nodiscard]] ClientActions answer_introduction(std::uint64_t id, Sealed sealed);
  [[nodiscard]] ClientActions refuse_introduction(std::uint64_t id, Sealed sealed);
  [[nodiscard]] ClientActions answer_pairing(std::uint64_t id, std::string payload);

  // Device. The id comes back in IntroductionAnswered, PairingAnswered or RequestFailed, exactly one of them.
  // relayed: where this device is behind a relay, if it is.
  [[nodiscard]] ClientActions introduce(const IdentityId& box, Sealed sealed, std::vector<Endpoint> relayed,
                                        Time now, std::uint64_t& id);
  [[nodiscard]] ClientActions pair(std::variant<IdentityId, std::string> to, std::string payload, Time now,
                                   std::uint64_t& id);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }  // empty since the last welcome
  // The rendezvous does not want this client, for the reason that last_error() gives: kReplaced, kNotEnrolled
  // or kClosed. Until the next welcome.
  [[nodiscard]] std::optional<ErrorCode> refused() const { return refused_; }
  [[nodiscard]] std::uint64_t bad_messages() const { return bad_messages_; }

 private:
  [[nodiscard]] bool take(Message& message, ClientActions& out);
  ClientActions leave(std::string reason, Time now, bool disconnect,
                      std::optional<Duration> stay_away = std::nullopt);
  void handle(Challenge&& message, ClientActions& out);
  void handle(Welcome&& message, Time now, ClientActions& out);
  void handle(Error&& message, Time now, ClientActions& out);
  void say_state(Time now, ClientActions& out);
  void send(const Message& message, ClientActions& out) const;
  bool finish(std::uint64_t id);
  std::uint64_t new_request(Time now);

  Role role_;
  const Identity& identity_;
  Random& random_;
  std::string software_;
  ClientTiming timing_;
  State state_ = State::kWaiting;
  Time deadline_;  // waiting: connect then; connecting and greeting: give up then
  Duration backoff_;
  std::optional<Sha256> server_key_;
  bool greeted_ = false;
  std::optional<ErrorCode> refused_;
  std::string enrolment_;
  std::string last_error_;
  std::uint64_t bad_messages_ = 0;
  std::optional<Allow> allowed_;
  std::optional<PairingWindow> window_;
  Time window_until_ = kNever;
  std::map<std::uint64_t, Time> requests_;  // id to deadline
  std::uint64_t next_request_ = 1;
};

}  // namespace hearthcast::signalling
