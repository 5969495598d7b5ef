// A small Internet in one process: hosts, LANs behind NATs, a virtual clock. Everything random comes from one
// seed, so a run repeats exactly. Time moves only in run_until(), from event to event.
//
//   host --- LAN --- NatRouter --- core --- NatRouter --- LAN --- host
//                                   |
//                                  host with a public address
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "tests/sim/nat_router.hpp"
#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sim {

// One direction of a wire.
struct Link {
  Duration delay = std::chrono::milliseconds{10};
  Duration jitter{};           // uniform on top of the delay: more than the spacing of packets reorders them
  double loss = 0;             // 0 to 1
  std::size_t mtu = SIZE_MAX;  // of IPv4 packets; what is larger vanishes without a word
};

struct Traffic {
  std::uint64_t packets_out = 0, bytes_out = 0;
  std::uint64_t packets_in = 0, bytes_in = 0;
};

// Something with one UDP socket. The world calls; whoever implements it sends through World::send.
class Actor {
 public:
  virtual ~Actor() = default;
  virtual void on_datagram(const Endpoint& from, Bytes bytes, Time now) = 0;
  virtual void on_deadline(Time now) = 0;
  [[nodiscard]] virtual Time next_deadline() const = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed) : generator_(seed) {}

  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] std::mt19937_64& generator() { return generator_; }

  // Both return what names the thing from then on. A host behind no NAT has a public address.
  int add_nat(NatKind kind, const std::string& public_address, Link uplink = {});
  void add_host(Actor& actor, const std::string& endpoint, std::optional<int> nat = std::nullopt,
                Link uplink = {});
  void remove_host(const Actor& actor);

  void send(const Actor& from, const Endpoint& to, Bytes bytes);
  // A datagram with any source that somebody put on the core: what a spoofing attacker does.
  void inject(const Endpoint& claimed_source, const Endpoint& to, Bytes bytes);
  // Sees every datagram that arrives at a host of the core which is no actor: where reflected traffic ends
  // up.
  std::function<void(const Endpoint& from, const Endpoint& to, Bytes bytes)> on_stray;

  void at(Time when, std::function<void()> what);
  void run_until(Time end);
  void run_for(Duration duration) { run_until(now_ + duration); }
  // Runs until the condition holds or the time is over; says which.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, Duration limit);

  [[nodiscard]] const Traffic& traffic(const Actor& actor) const { return host_of(actor).traffic; }
  [[nodiscard]] const Endpoint& address_of(const Actor& actor) const { return host_of(actor).endpoint; }
  // May be changed at any time.
  [[nodiscard]] Link& uplink(int nat) { return nats_.at(static_cast<std::size_t>(nat)).uplink; }
  [[nodiscard]] NatRouter& nat(int id) { return *nats_.at(static_cast<std::size_t>(id)).router; }

 private:
  struct Host {
    Actor* actor = nullptr;
    Endpoint endpoint;
    std::optional<int> nat;
    Link uplink;
    Traffic traffic;
  };
  struct Site {
    std::unique_ptr<NatRouter> router;
    Link uplink;
  };
  struct Event {
    Time when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator>(const Event& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  [[nodiscard]] const Host& host_of(const Actor& actor) const;
  [[nodiscard]] std::optional<Duration> cross(const Link& link);  // nullopt: lost
  void across(const Link& link, std::size_t datagram, std::function<void()> what);
  void through_core(const Endpoint& from, const Endpoint& to, Buffer bytes);
  void deliver(const Endpoint& from, const Endpoint& to, std::optional<int> nat, const Buffer& bytes);
  [[nodiscard]] Time next_event() const;
  void step(Time when);

  std::mt19937_64 generator_;
  Time now_{std::chrono::hours{1}};
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Host> hosts_;
  std::vector<Site> nats_;
};

// Randomness of the world's seed behind the product's interface.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(World& world) : world_(world) {}
  void fill(MutableBytes out) override;

 private:
  World& world_;
};

}  // namespace hearthcast::sim
