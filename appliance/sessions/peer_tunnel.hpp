// The box's end of a foreign peer's tunnel: querier towards the peer's kernel, and judge of what its reports
// may have. There are no control messages and no words in it: what is refused does not come. Pure; not
// thread-safe.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "appliance/access/access.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/membership/subscription.hpp"

namespace hearthcast::sessions {

struct PeerFacts {
  std::string name;       // in words of refusal
  access::Grants grants;  // from the settings
  bool carries_ip4 = true;
};

// One IP packet for the peer: a query.
struct SendMembership {
  Buffer ip_packet;
};
// What it watches changed; read it from watching().
struct PeerWatchingChanged {};

using PeerAction = std::variant<SendMembership, PeerWatchingChanged>;
using PeerActions = std::vector<PeerAction>;

class PeerTunnel {
 public:
  PeerTunnel(PeerFacts facts, std::shared_ptr<const access::Access> access, Time now);

  // An IP packet out of the tunnel. Whatever is no report is dropped and counted.
  [[nodiscard]] PeerActions on_packet(Bytes ip_packet, Time now);
  [[nodiscard]] PeerActions on_deadline(Time now);
  [[nodiscard]] Time next_deadline() const;
  // Channels changed.
  [[nodiscard]] PeerActions on_access(std::shared_ptr<const access::Access> access, Time now);

  [[nodiscard]] const std::set<FlowKey>& watching() const { return watching_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }                 // wishes
  [[nodiscard]] std::uint64_t unwanted() const { return unwanted_; }               // packets
  [[nodiscard]] const std::string& last_refusal() const { return last_refusal_; }  // in words; empty: none
  [[nodiscard]] std::vector<membership::RouterStatus> memberships(Time now) const;

 private:
  using Wish = membership::Subscription;

  void perform(membership::Actions actions, PeerActions& out);
  void take(const membership::FilterChanged& change);
  void decide(const Wish& wish);
  void gather(PeerActions& out);

  PeerFacts facts_;
  std::shared_ptr<const access::Access> access_;
  std::vector<membership::Router> routers_;
  std::map<Wish, std::set<FlowKey>> wishes_;  // what each was granted
  std::set<FlowKey> watching_;
  std::uint64_t refused_ = 0;
  std::uint64_t unwanted_ = 0;
  std::string last_refusal_;
};

}  // namespace hearthcast::sessions
