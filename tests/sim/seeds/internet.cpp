#include "tests/sim/seeds/internet.hpp"

namespace hearthcast::sim {
namespace {

std::string with_port(const std::string& address, std::uint16_t port) {
  return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" +
         std::to_string(port);
}

}  // namespace

Internet::Internet(World& world, const Access& home, const std::vector<Access>& networks, const Wires& wires)
    : world_(world) {
  home_ = build(home, 1, true, wires.home);
  for (std::size_t i = 0; i < networks.size(); ++i) {
    networks_.push_back(build(networks[i], static_cast<int>(i) + 1, false, wires.away));
  }
}

std::string Internet::outside(const Site& site) {
  return (site.is_home ? "198.51.100." : "203.0.113.") + std::to_string(site.number);
}

std::string Internet::prefix(const Site& site) {
  return (site.is_home ? "2001:db8:1:" : "2001:db8:2:") + std::to_string(site.number) + "::";
}

Internet::Site Internet::build(const Access& access, int number, bool is_home, const Link& wire) {
  Site site{access, number, is_home, {}, {}, wire, false};
  std::optional<int> behind;
  for (std::size_t level = access.nats.size(); level-- > 0;) {  // the outermost first
    const bool outermost = level + 1 == access.nats.size();
    const std::string address = outermost ? outside(site)
                                          : "100.64." + std::to_string(number + (is_home ? 0 : 100)) + "." +
                                                std::to_string(level + 2);
    behind = world_.add_nat(access.nats[level], address, outermost ? wire : Link{.delay = {}}, behind);
    site.nats.insert(site.nats.begin(), *behind);
  }
  if (access.ip6 == Ip6::kFirewalled) {
    site.firewall = world_.add_nat(ip6_firewall(), prefix(site), wire);
  }
  return site;
}

void Internet::place(const Site& site, Actor& actor, const std::string& inside, std::uint16_t port) {
  const Link lan{.delay = std::chrono::milliseconds{1}, .down = site.down};
  Link outer = site.wire;
  outer.down = site.down;
  if (site.access.ip4 && site.nats.empty()) {
    world_.add_host(actor, with_port(outside(site), port), std::nullopt, outer);
  } else if (site.access.ip4) {
    world_.add_host(actor, with_port(inside, port), site.nats.front(), lan);
  }
  if (site.access.ip6 != Ip6::kNone) {
    const bool open = site.access.ip6 == Ip6::kOpen;
    world_.add_host(actor, with_port(prefix(site) + "2", port), site.firewall, open ? outer : lan);
  }
}

void Internet::place_box(Actor& box) { place(home_, box, "192.168.1.2", kBoxPort); }

void Internet::place_laptop(Actor& laptop, std::size_t network) {
  const Site& site = networks_.at(network);
  place(site, laptop, "192.168." + std::to_string(50 + site.number) + ".3", kLaptopPort);
}

bool Internet::renumber_home(Actor& box) {
  ++home_.number;
  if (!home_.nats.empty()) {
    world_.nat(home_.nats.back()).renumber(*IpAddress::parse(outside(home_)));
  }
  if (home_.firewall) {
    world_.nat(*home_.firewall).renumber(*IpAddress::parse(prefix(home_)));
  }
  const bool sees_it = home_.access.ip6 != Ip6::kNone || home_.nats.empty();
  if (sees_it) {
    world_.remove_host(box);
    place_box(box);
  }
  return sees_it;
}

void Internet::rebind(Site& site) {
  for (const int nat : site.nats) {
    world_.nat(nat).rebind();
  }
  if (site.firewall) {
    world_.nat(*site.firewall).forget_everything();
  }
}

void Internet::set_down(Site& site, const Actor& actor, bool down) {
  site.down = down;
  for (const int nat : site.nats) {
    world_.uplink(nat).down = down;
  }
  if (site.firewall) {
    world_.uplink(*site.firewall).down = down;
  }
  world_.set_down(actor, down);
}

std::vector<IpAddress> Internet::home_addresses() const {
  std::vector<IpAddress> addresses;
  if (home_.access.ip4) {
    addresses.push_back(*IpAddress::parse(outside(home_)));
  }
  if (home_.access.ip6 != Ip6::kNone) {
    addresses.push_back(*IpAddress::parse(prefix(home_) + "2"));
  }
  return addresses;
}

std::size_t Internet::mappings() const {
  std::size_t all = 0;
  for (const Site* site : {&home_}) {
    for (const int nat : site->nats) {
      all += world_.nat(nat).mappings();
    }
  }
  for (const Site& site : networks_) {
    for (const int nat : site.nats) {
      all += world_.nat(nat).mappings();
    }
  }
  return all;
}

}  // namespace hearthcast::sim
