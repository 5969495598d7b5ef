#include "tests/sim/seeds/access.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace hearthcast::sim {
namespace {

NatKind home_router(NatKind kind) {
  kind.hairpins = false;
  return kind;
}

NatKind hairpinning(NatKind kind) {
  kind.hairpins = true;
  return kind;
}

NatKind udp_blocking() {
  NatKind kind = kPortRestricted;
  kind.blocks_udp = true;
  return kind;
}

const std::array kAccesses = {
    Access{.name = "full-cone", .nats = {home_router(kFullCone)}},
    Access{.name = "address-restricted", .nats = {home_router(kAddressRestricted)}},
    Access{.name = "port-restricted", .nats = {home_router(kPortRestricted)}},
    Access{.name = "address-dependent", .nats = {home_router(kAddressDependent)}},
    Access{.name = "symmetric", .nats = {home_router(kSymmetric)}},
    Access{.name = "hairpin", .nats = {hairpinning(kPortRestricted)}},
    Access{.name = "carrier-grade", .nats = {home_router(kPortRestricted), home_router(kPortRestricted)}},
    Access{.name = "carrier-symmetric", .nats = {home_router(kPortRestricted), home_router(kSymmetric)}},
    Access{.name = "public"},
    Access{.name = "ip6-firewall", .nats = {home_router(kPortRestricted)}, .ip6 = Ip6::kFirewalled},
    Access{.name = "ip6-open", .nats = {home_router(kSymmetric)}, .ip6 = Ip6::kOpen},
    Access{.name = "ip6-only", .ip4 = false, .ip6 = Ip6::kFirewalled},
    Access{.name = "udp-blocked", .nats = {udp_blocking()}},
};

}  // namespace

NatKind ip6_firewall() {
  NatKind kind = kPortRestricted;
  kind.translates = false;
  return kind;
}

std::span<const Access> accesses() { return kAccesses; }

const Access& access_named(std::string_view name) {
  const auto found = std::ranges::find(kAccesses, name, &Access::name);
  if (found == kAccesses.end()) {
    throw std::invalid_argument(std::string(name));
  }
  return *found;
}

bool Access::blocks_udp() const { return std::ranges::any_of(nats, &NatKind::blocks_udp); }

bool Access::maps_per_destination() const {
  return std::ranges::any_of(
      nats, [](const NatKind& kind) { return kind.mapping != Mapping::kEndpointIndependent; });
}

Filtering Access::filtering() const {
  Filtering strictest = Filtering::kEndpointIndependent;
  for (const NatKind& kind : nats) {
    strictest = std::max(strictest, kind.filtering);
  }
  return strictest;
}

std::string_view to_string(Way way) {
  switch (way) {
    case Way::kDirect:
      return "direct";
    case Way::kRelayed:
      return "relayed";
    case Way::kNone:
      return "none";
  }
  return "";
}

Way way_between(const Access& home, const Access& away) {
  if (home.ip6 != Ip6::kNone && away.ip6 != Ip6::kNone) {
    return Way::kDirect;
  }
  if (!home.ip4 || !away.ip4 || home.blocks_udp()) {
    return Way::kNone;
  }
  if (away.blocks_udp()) {
    return Way::kRelayed;
  }
  const auto lets_any_port_in = [](const Access& access) {
    return access.filtering() != Filtering::kAddressAndPortDependent;
  };
  const bool direct = (!home.maps_per_destination() && !away.maps_per_destination()) ||
                      (!home.maps_per_destination() && lets_any_port_in(home)) ||
                      (!away.maps_per_destination() && lets_any_port_in(away));
  return direct ? Way::kDirect : Way::kRelayed;
}

}  // namespace hearthcast::sim
