// The Internet of one scenario: a home with its access, some networks away, and the addresses of the
// rendezvous and the relay between them. Each network has its own NATs; the laptop is in one of them at a
// time.
#pragma once

#include <optional>
#include <vector>

#include "tests/sim/seeds/access.hpp"
#include "tests/sim/world.hpp"

namespace hearthcast::sim {

struct Wires {
  Link home;
  Link away;
};

class Internet {
 public:
  static constexpr std::uint16_t kBoxPort = 4755;
  static constexpr std::uint16_t kLaptopPort = 40000;

  Internet(World& world, const Access& home, const std::vector<Access>& networks, const Wires& wires);

  // Into the world, with the addresses that its network gives. It was not there before.
  void place_box(Actor& box);
  void place_laptop(Actor& laptop, std::size_t network);

  // Other public addresses of both families. True when the box itself sees it: then it was placed anew.
  bool renumber_home(Actor& box);
  void rebind_home() { rebind(home_); }
  void rebind_network(std::size_t network) { rebind(networks_.at(network)); }
  // Nothing gets through. The actor is the one that is there.
  void set_home_down(const Actor& box, bool down) { set_down(home_, box, down); }
  void set_network_down(const Actor& laptop, std::size_t network, bool down) {
    set_down(networks_.at(network), laptop, down);
  }

  [[nodiscard]] const Access& home() const { return home_.access; }
  [[nodiscard]] const Access& network(std::size_t network) const { return networks_.at(network).access; }
  [[nodiscard]] std::size_t networks() const { return networks_.size(); }
  // As the core sees that home now: no NAT's port is in it.
  [[nodiscard]] std::vector<IpAddress> home_addresses() const;
  [[nodiscard]] std::size_t mappings() const;  // of all NATs

 private:
  struct Site {
    Access access;
    int number = 0;  // of its addresses
    bool is_home = false;
    std::vector<int> nats;  // as in Access
    std::optional<int> firewall;
    Link wire;
    bool down = false;
  };
  [[nodiscard]] Site build(const Access& access, int number, bool is_home, const Link& wire);
  [[nodiscard]] static std::string outside(const Site& site);  // its public IPv4 address
  [[nodiscard]] static std::string prefix(const Site& site);   // of its IPv6 addresses, without the end
  void place(const Site& site, Actor& actor, const std::string& inside, std::uint16_t port);
  void rebind(Site& site);
  void set_down(Site& site, const Actor& actor, bool down);

  World& world_;
  Site home_;
  std::vector<Site> networks_;
};

}  // namespace hearthcast::sim
