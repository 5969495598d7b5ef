// What the client says inside one established session with the box: hello, then membership of the channels
// that are watched, and whether the box still answers. Pure: inner packets and the time in, actions out; the
// session's records are the data thread's.
//
// Not thread-safe. Dead is said once; afterwards the session does nothing, and its owner starts another.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/listener.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"
#include "tunnelmgr/tunnel/control_transport.hpp"
#include "tunnelmgr/tunnel/home_hosts.hpp"
#include "tunnelmgr/tunnel/path_probe.hpp"
#include "tunnelmgr/tunnel/reach.hpp"

namespace hearthcast::away {

struct SessionTiming {
  std::chrono::milliseconds check_after{250};    // nothing of what is watched has come yet: look at the path;
                                                 // at once when it had come, for the data thread waited
  std::chrono::milliseconds check_again{500};    // while the silence lasts, kQuickChecks times,
  std::chrono::milliseconds check_slowly{5000};  // then at that pace
  std::chrono::milliseconds ping_after{1000};    // of silence: ask the box
  std::chrono::milliseconds patience{1000};      // no answer and no media: the box has forgotten us
  std::chrono::seconds ping{10};
  std::chrono::seconds idle_ping{300};  // while nothing is watched: a restarted box shows in its checks, too
};

struct SendGre {
  Buffer gre;
};
struct Greeted {
  tunnel::BoxHello hello;
};
struct ChannelsCame {
  tunnel::ChannelList list;
};
struct Refused {
  tunnel::Refusal refusal;
};
struct Noticed {  // the box closes the session after it
  tunnel::Notice notice;
};
struct ReachTold {
  tunnel::Reach reach;
};
// Where in the home network this device may go.
struct HomeHostsTold {
  HomeHosts hosts;
};
// An IP packet to the device's own address inside the tunnel.
struct PacketCame {
  Buffer ip_packet;
};
struct CheckPath {};
struct Dead {
  std::string reason;
};
using SessionAction = std::variant<SendGre, Greeted, ChannelsCame, Refused, Noticed, ReachTold, HomeHostsTold,
                                   PacketCame, CheckPath, Dead>;
using SessionActions = std::vector<SessionAction>;

class BoxSession {
 public:
  explicit BoxSession(tunnel::DeviceHello hello, SessionTiming timing = {})
      : hello_(std::move(hello)), timing_(timing) {}

  [[nodiscard]] SessionActions start(Time now);
  [[nodiscard]] SessionActions on_inner(Bytes gre, Time now);
  [[nodiscard]] SessionActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  // What is watched. Each flow once; the session reports it to the box as soon as it is greeted. A port of 0
  // stands for whatever the group carries: what the laptop's kernel listens to.
  [[nodiscard]] SessionActions want(const FlowKey& flow, Time now);
  [[nodiscard]] SessionActions unwant(const FlowKey& flow, Time now);
  // A wanted flow does not get through the path: the box will cut it and say what fits.
  [[nodiscard]] SessionActions say_congestion(const tunnel::Congestion& congestion, Time now);
  // Why the path leads through a relay; empty: it does not. Nothing before the greeting.
  [[nodiscard]] SessionActions say_path(std::string relayed, Time now);
  // The path does not answer: what the box does not say is the path's fault, and nothing is repeated until it
  // answers again.
  [[nodiscard]] SessionActions on_path(bool answers, Time now);
  // The box may have begun anew: asks it at once, whether it knows this session.
  void doubt_box(Time now) { next_ping_ = std::min(next_ping_, now); }
  // Data of a wanted flow came, or stopped coming.
  void on_signal(const FlowKey& flow, bool present, Time now);

  [[nodiscard]] const std::optional<tunnel::BoxHello>& greeting() const { return greeting_; }
  // The largest IP packet that the box knows to arrive here; 0 while it knows none.
  [[nodiscard]] std::uint16_t path_mtu() const { return path_mtu_; }
  [[nodiscard]] std::uint64_t malformed() const { return malformed_ + transport_.malformed(); }

 private:
  struct Wanted {
    bool present = false;
    bool refused = false;
  };

  void perform(const tunnel::ControlActions& actions, SessionActions& out, Time now);
  void on_message(Bytes body, SessionActions& out, Time now);
  void on_greeting(tunnel::BoxHello hello, SessionActions& out, Time now);
  void on_refusal(const tunnel::Refusal& refusal);
  void on_probe(const tunnel::PathProbe& probe, SessionActions& out);
  void report(const membership::Listener::Packets& packets, SessionActions& out) const;
  void ping(SessionActions& out, Time now);
  [[nodiscard]] Time after_ping(Time now) const {
    return now + (wanted_.empty() ? timing_.idle_ping : timing_.ping);
  }
  void die(std::string reason, SessionActions& out);
  static constexpr int kQuickChecks = 10;

  [[nodiscard]] bool any_present() const;
  // When a box that answers nothing is taken to have restarted. While media come it has not: then control
  // packets are lost, and the transport tries longer. Nor while the path does not answer.
  [[nodiscard]] Time patience_ends() const;
  // Since when nothing of what is watched has come; kNever while something does, or nothing is watched.
  void watch_silence(Time now, bool stopped = false);  // stopped: it had come until now

  tunnel::DeviceHello hello_;
  SessionTiming timing_;
  tunnel::ControlTransport transport_;
  std::optional<tunnel::BoxHello> greeting_;
  std::optional<membership::Listener> listener_;
  std::map<FlowKey, Wanted> wanted_;
  Time silent_since_ = kNever;
  Time check_at_ = kNever;  // the path, in this silence
  int checks_ = 0;          // in this silence
  bool path_answers_ = true;
  Time next_ping_ = kNever;
  std::uint64_t pings_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint16_t path_mtu_ = 0;
  bool dead_ = false;
};

}  // namespace hearthcast::away
