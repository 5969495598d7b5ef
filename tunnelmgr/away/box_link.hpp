// The client's connection to its box: finds a path, agrees on keys, keeps one session, and starts again for
// ever with jittered back-off. Holds no socket and no clock: what it wants done goes to its LinkHost. Control
// thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tunnelmgr/away/box_session.hpp"
#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/secure/dtls_session.hpp"

namespace hearthcast::away {

// Who runs the link. Calls come from inside calls to the link, which the host must not destroy meanwhile.
class LinkHost {
 public:
  virtual ~LinkHost() = default;
  virtual void send(const Endpoint& to, Bytes datagram) = 0;    // on the shared socket
  virtual void post(Down message) = 0;                          // to the data thread
  [[nodiscard]] virtual PeerId next_peer() = 0;                 // never the same twice
  [[nodiscard]] virtual tunnel::DeviceHello hello() const = 0;  // for a new session
  virtual void on_status() = 0;                                 // read status()
  virtual void on_channels(const tunnel::ChannelList& list) = 0;
  virtual void on_refusal(const tunnel::Refusal& refusal) = 0;
  virtual void on_home_hosts(const HomeHosts& /*hosts*/) {}  // where in the home network this device may go
  virtual void on_reach(const tunnel::Reach& /*reach*/) {}   // where the box may be found from now on
  virtual void on_packet(Bytes /*ip_packet*/) {}             // to this device's address inside the tunnel
  // The path does not answer, or answers again: the box may have moved, or this end.
  virtual void on_path_doubt(bool /*doubted*/) {}
  virtual void on_path(const Endpoint& endpoint) = 0;  // the box was reached there: worth storing
  // Why that path leads through a relay; empty: it does not.
  [[nodiscard]] virtual std::string relayed_because(const Endpoint& /*path*/) const { return {}; }
  // A path for people, where the endpoint alone says too little.
  [[nodiscard]] virtual std::string name_of(const Endpoint& path) const { return path.to_string(); }
};

enum class LinkPhase : std::uint8_t {
  kSearching,    // no path
  kHandshaking,  // a path, no session
  kGreeting,     // a session; the box has not said hello
  kConnected,    // the box said hello; it may say that the device has to wait
};

struct LinkStatus {
  LinkPhase phase = LinkPhase::kSearching;
  std::string text;  // what the client is doing, for people
  std::optional<Endpoint> path;
  std::optional<nat::CandidateType> path_type;
  std::optional<Duration> round_trip;
  std::uint16_t path_mtu = 0;  // the largest IP packet that the box knows to arrive; 0: not known
  std::optional<tunnel::BoxHello> hello;
  std::optional<tunnel::Notice> notice;  // the last thing that the box said before it closed
};

struct LinkContext {  // outlives the link
  const secure::DtlsContext& dtls;
  const Crypto& crypto;
  Random& random;
  Log& log;
  IdentityId box;
  nat::StandingCredentials credentials;
};

class BoxLink {
 public:
  BoxLink(const LinkContext& context, LinkHost& host);
  // Another box takes this one's place: ends the session.
  void close();

  void on_candidates(const std::vector<nat::Candidate>& candidates, Time now);
  // Somebody says that the box is elsewhere: does the path still answer?
  void check_path(Time now) { perform(agent_.on_silence(now), now); }
  void on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& decoded, Time now);
  void on_handshake(const Endpoint& from, Bytes datagram, Time now);
  void on_inner(PeerId peer, Bytes gre, Time now);
  void on_session_closed(PeerId peer, const std::string& reason, Time now);
  void on_network_change(Time now);

  void want(const FlowKey& flow, Time now);
  void unwant(const FlowKey& flow, Time now);
  void on_signal(const FlowKey& flow, bool present, Time now);
  void on_congestion(const tunnel::Congestion& congestion, Time now);
  // An IP packet for the box's address inside the tunnel; dropped while there is no session.
  void send_packet(Bytes ip_packet, Time now);

  void on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] LinkStatus status() const;
  [[nodiscard]] bool has_path() const { return agent_.selected().has_value(); }
  [[nodiscard]] const nat::Agent& agent() const { return agent_; }

 private:
  void perform(const nat::Actions& actions, Time now);
  void perform(const SessionActions& actions, Time now);
  void settle(const std::vector<Buffer>& datagrams, Time now);
  void tell_path(Time now);
  void follow_use(Time now);  // whether the path is idle
  void doubt_path(bool doubted, Time now);
  void begin_handshake(Time now);
  void establish(Time now);
  void end_session(const std::string& reason, Time now);
  void try_again(Time now, Duration at_least);

  const LinkContext& context_;
  LinkHost& host_;
  nat::Agent agent_;
  std::unique_ptr<secure::DtlsSession> handshake_;
  Time unheard_until_ = kNever;  // begin again then, unless the box has answered this handshake
  std::optional<BoxSession> session_;
  PeerId peer_;                     // of session_; the last one used
  std::string told_path_;           // to the box of session_: why it is relayed
  std::map<FlowKey, bool> wanted_;  // and whether its data is coming
  std::optional<tunnel::Notice> notice_;
  std::string last_error_;
  Time packets_until_ = kNever;  // those of a network interface; kNever: for longer than kUseLasts none
  Time ask_again_{};             // the box, while packets go: it alone knows whether they arrive
  Time next_attempt_ = kNever;
  int failures_ = 0;  // in a row, without a greeting
};

}  // namespace hearthcast::away
