// The box of a scenario: the sessions of box_actor.hpp with what appliance/app/tunnel_rendezvous.cpp and
// tunnel_reach.cpp put around them, and the little that survives a restart.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "appliance/app/introducer.hpp"
#include "tests/sim/box_actor.hpp"
#include "tests/sim/seeds/rendezvous.hpp"

namespace hearthcast::sim {

class Home final : public Member {
 public:
  static const FlowKey kFlow;

  // Paired with the laptop and approved for kFlow from the beginning. All outlive it.
  Home(World& world, Rendezvous& rendezvous, const secure::OpenSslIdentity& box, const Identity& laptop);

  void start();  // after box() has been placed in the world
  // As after kill -9: nothing is said. The next start() takes a new box.
  void stop();

  // Its addresses changed, and it sees it.
  void on_network_change();

  [[nodiscard]] BoxActor& box() { return *box_; }
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] std::vector<nat::Candidate> own_candidates() const;
  // Called with every endpoint that the box is told to look at, by an introduction or from its memory.
  std::function<void(const Endpoint&)> on_told = [](const Endpoint&) {};

  [[nodiscard]] const Actor& actor() const override { return *box_; }
  void on_joined(nat::PresenceAccount account) override;
  void on_left() override;
  void on_offer(const signalling::IntroduceOffer& offer) override;

 private:
  void make_box();
  void on_mapping(const Endpoint& mapped);
  void tell_moved();

  World& world_;
  Rendezvous& rendezvous_;
  const secure::OpenSslIdentity& identity_;
  const Identity& laptop_;
  secure::OpenSslCrypto crypto_;
  SeededRandom random_;
  std::unique_ptr<BoxActor> box_;
  std::optional<app::Introducer> introducer_;
  DeviceId device_;
  bool running_ = false;
  std::optional<Endpoint> last_mapped_;
  Time reconnected_{};
  std::vector<Endpoint> told_moved_;
  // On the disk.
  std::uint64_t counters_ = 1;
  std::optional<signalling::Freshness> last_asked_;
  std::optional<Endpoint> last_seen_;
};

}  // namespace hearthcast::sim
