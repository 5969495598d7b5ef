// A small Internet in one process: hosts, LANs behind NATs (and those behind others), a virtual clock.
// Everything random comes from one seed, so a run repeats exactly. Time moves only in run_until(), from event
// to event.
//
//   host --- LAN --- NatRouter --- core --- NatRouter (carrier) --- NatRouter --- LAN --- host
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
  double duplicates = 0;       // 0 to 1
  bool down = false;
};

struct Traffic {
  std::uint64_t packets_out = 0, bytes_out = 0;
  std::uint64_t packets_in = 0, bytes_in = 0;
};

// Something with UDP sockets of one port, one for each address that it has. The world calls; whoever
// implements it sends through World::send.
class Actor {
 public:
  virtual ~Actor() = default;
  virtual void on_datagram(const Endpoint& from, Bytes bytes, Time now) = 0;
  virtual void on_deadline(Time now) = 0;
  [[nodiscard]] virtual Time next_deadline() const = 0;
};

// Sees every datagram on every wire. `origin` is who sent it: null when somebody put it on the core.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_sent(const Actor& origin, const Endpoint& to, Bytes bytes, Time now) = 0;
  // Enters a wire, whether it will be lost there or not.
  virtual void on_wire(const Endpoint& from, const Endpoint& to, Bytes bytes, Time now) = 0;
  virtual void on_delivered(const Actor& at, const Actor* origin, const Endpoint& from, Bytes bytes,
                            Time now) = 0;
  // Reached an address of the core that nobody has.
  virtual void on_stray(const Actor* origin, const Endpoint& to, Bytes bytes, Time now) = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed) : generator_(seed) {}

  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] std::mt19937_64& generator() { return generator_; }

  // Returns what names the NAT from then on. With `behind` its outside is the inside of that one.
  int add_nat(NatKind kind, const std::string& public_address, Link uplink = {},
              std::optional<int> behind = std::nullopt);
  // A host behind no NAT has a public address. An actor may be added again with an address of the other
  // family: what it sends leaves by the one that fits.
  void add_host(Actor& actor, const std::string& endpoint, std::optional<int> nat = std::nullopt,
                Link uplink = {});
  void remove_host(const Actor& actor);
  void remove_host(const Actor& actor, Family family);
  // Its own wires: nothing gets in or out.
  void set_down(const Actor& actor, bool down);

  // Nothing happens without an address of that family.
  void send(const Actor& from, const Endpoint& to, Bytes bytes);
  // A datagram with any source that somebody put on the core: what a spoofing attacker does.
  void inject(const Endpoint& claimed_source, const Endpoint& to, Bytes bytes);
  // Sees every datagram that arrives at a host of the core which is no actor: where reflected traffic ends
  // up.
  std::function<void(const Endpoint& from, const Endpoint& to, Bytes bytes)> on_stray;
  void set_observer(Observer* observer) { observer_ = observer; }  // outlives the world, or null

  void at(Time when, std::function<void()> what);
  void run_until(Time end);
  void run_for(Duration duration) { run_until(now_ + duration); }
  // Runs until the condition holds or the time is over; says which.
  [[nodiscard]] bool run_until(const std::function<bool()>& condition, Duration limit);

  [[nodiscard]] const Traffic& traffic(const Actor& actor) const { return host_of(actor).traffic; }
  [[nodiscard]] const Endpoint& address_of(const Actor& actor) const { return host_of(actor).endpoint; }
  [[nodiscard]] std::vector<IpAddress> addresses_of(const Actor& actor) const;
  // Whether packets of that family get from it to the core: it has an address, and no wire on the way is
  // down.
  [[nodiscard]] bool reaches_core(const Actor& actor, Family family) const;
  // May be changed at any time.
  [[nodiscard]] Link& uplink(int nat) { return nats_.at(static_cast<std::size_t>(nat)).uplink; }
  [[nodiscard]] NatRouter& nat(int id) { return *nats_.at(static_cast<std::size_t>(id)).router; }
  [[nodiscard]] const NatRouter& nat(int id) const { return *nats_.at(static_cast<std::size_t>(id)).router; }
  [[nodiscard]] std::size_t waiting() const { return events_.size(); }  // packets on wires, and plans

 private:
  static constexpr int kMostTurns = 1000;

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
    std::optional<int> behind;
  };
  struct Datagram {
    const Actor* origin = nullptr;
    std::shared_ptr<const Buffer> bytes;
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
  [[nodiscard]] const Host* host_of(const Actor& actor, Family family) const;
  [[nodiscard]] Site& site(int nat) { return nats_.at(static_cast<std::size_t>(nat)); }
  [[nodiscard]] const Site& site(int nat) const { return nats_.at(static_cast<std::size_t>(nat)); }
  [[nodiscard]] bool lost(const Link& link);
  void across(const Link& link, const Endpoint& from, const Endpoint& to, const Datagram& datagram,
              const std::function<void()>& what);
  // From the inside of a NAT, outwards; without one, on the core.
  void outwards(std::optional<int> nat, const Endpoint& from, const Endpoint& to, const Datagram& datagram);
  // On the inside of a NAT, or on the core.
  void arrive(std::optional<int> segment, const Endpoint& from, const Endpoint& to, const Datagram& datagram);
  void deliver(const Endpoint& from, const Endpoint& to, std::optional<int> nat, const Datagram& datagram);
  [[nodiscard]] Time next_event() const;
  void step(Time when);

  std::mt19937_64 generator_;
  Time now_{std::chrono::hours{1}};
  std::uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Host> hosts_;
  std::vector<Site> nats_;
  Observer* observer_ = nullptr;
  Time turned_at_{};
  int idle_turns_ = 0;  // deadlines since the clock last moved
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
