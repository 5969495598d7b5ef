// What the laptop's kernel listens to on the TUN interface, and what became of each wish. Towards the kernel
// it is the router (MLD and IGMP of every version, as in any network); what the kernel reports becomes wishes
// of this tunnel, beside those of HTTP players, so that the box hears one report for both (RFC 4605). Pure;
// not thread-safe.
#pragma once

#include <array>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/membership/subscription.hpp"
#include "tunnelmgr/tunnel/control_message.hpp"

namespace hearthcast::away {

struct WriteToTun {  // a query
  Buffer ip_packet;
};
struct StartListening {
  membership::Subscription subscription;
};
struct StopListening {
  membership::Subscription subscription;
};
// More than this end keeps. Once, until something ends.
struct CannotListen {
  membership::Subscription subscription;
};
using TunAction = std::variant<WriteToTun, StartListening, StopListening, CannotListen>;
using TunActions = std::vector<TunAction>;

// Groups by which the machines of one network find each other (mDNS, SSDP, SLP and their like), beside those
// of link scope: what is asked for there stays there.
[[nodiscard]] bool is_of_the_local_network(const IpAddress& group);

class TunMembership {
 public:
  enum class State : std::uint8_t { kWaiting, kReceiving, kRefused };
  struct Listened {
    State state = State::kWaiting;
    std::string code;  // of the refusal, in the protocol's word
    std::string text;  // for people
  };

  // The link is up from now on.
  explicit TunMembership(Time now);

  // MLD or IGMP from the interface; anything else does nothing.
  [[nodiscard]] TunActions on_packet(Bytes ip_packet, Time now);
  // The interface has an address that reports can come from: asks at once.
  [[nodiscard]] TunActions on_address(Time now);
  void on_signal(const membership::Subscription& subscription, bool present);
  // True when it is about something that the kernel listens to.
  bool on_refusal(const tunnel::Refusal& refusal);
  [[nodiscard]] TunActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;

  [[nodiscard]] const std::map<membership::Subscription, Listened>& listened() const { return listened_; }

 private:
  void perform(membership::Actions actions, TunActions& out);
  void take(const membership::FilterChanged& change, TunActions& out);

  std::array<membership::Router, 2> routers_;  // by Family
  std::map<membership::Subscription, Listened> listened_;
  bool told_limit_ = false;
};

}  // namespace hearthcast::away
