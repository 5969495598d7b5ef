// The actors of the ICE tests: one end of a pair with its agent (and presence), and a rendezvous that answers
// presence.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/world.hpp"
#include "tunnelmgr/nat/agent.hpp"
#include "tunnelmgr/nat/presence.hpp"
#include "tunnelmgr/nat/responder.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"

namespace hearthcast::sim {

struct PathChange {
  Time when;
  std::optional<Endpoint> path;  // nullopt: lost
};

class IcePeer final : public Actor {
 public:
  // Two peers with the same secret are a pair; the controlling one is the device.
  IcePeer(World& world, nat::Role role, const std::string& secret = "one pair", nat::Timing timing = {});

  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time now) override;
  [[nodiscard]] Time next_deadline() const override;

  void learn(const std::vector<nat::Candidate>& candidates) {
    apply(agent_.on_candidates(candidates, world_.now()));
  }
  void lurk(const Endpoint& last) { apply(agent_.lurk(last, world_.now())); }
  void silence() { apply(agent_.on_silence(world_.now())); }
  void idle(bool idle) { apply(agent_.set_idle(idle, world_.now())); }
  void register_at(const Endpoint& server);

  [[nodiscard]] nat::Agent& agent() { return agent_; }
  [[nodiscard]] nat::Responder& responder() { return responder_; }
  [[nodiscard]] bool connected() const { return agent_.selected().has_value(); }
  [[nodiscard]] const std::vector<PathChange>& history() const { return history_; }
  [[nodiscard]] const std::vector<Endpoint>& proven() const { return proven_; }
  [[nodiscard]] const std::vector<Endpoint>& mappings() const { return mappings_; }
  [[nodiscard]] const std::vector<Time>& sent_at() const { return sent_at_; }
  [[nodiscard]] int presence_lost() const { return presence_lost_; }

 private:
  void apply(const nat::Actions& actions);
  void apply(const nat::PresenceActions& actions);
  void send(const nat::SendDatagram& datagram);

  World& world_;
  SeededRandom random_;
  secure::OpenSslCrypto crypto_;
  nat::Agent agent_;
  nat::Responder responder_;
  nat::Presence presence_;
  std::vector<PathChange> history_;
  std::vector<Endpoint> proven_;
  std::vector<Endpoint> mappings_;
  std::vector<Time> sent_at_;
  int presence_lost_ = 0;
};

// Answers authenticated Binding requests as the rendezvous does. Set `up` to false to let it die.
class PresenceServer final : public Actor {
 public:
  explicit PresenceServer(World& world) : world_(world) {}
  void on_datagram(const Endpoint& from, Bytes bytes, Time now) override;
  void on_deadline(Time) override {}
  [[nodiscard]] Time next_deadline() const override { return kNever; }

  bool up = true;
  std::string password = "presence password";
  std::size_t requests = 0;
  std::size_t largest_growth = 0;  // octets by which an answer was larger than its request
  Endpoint last_seen;

 private:
  World& world_;
  secure::OpenSslCrypto crypto_;
};

[[nodiscard]] nat::Candidate host(const std::string& endpoint);
[[nodiscard]] nat::Candidate srflx(const std::string& endpoint);

}  // namespace hearthcast::sim
