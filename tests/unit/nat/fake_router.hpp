// A home router on virtual time, in whatever way it can be asked for ports, and the machine that asks it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "tunnelmgr/nat/port_mapping.hpp"

namespace hearthcast::nat {

class CountingRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (auto& octet : out) {
      octet = next_++;
    }
  }

 private:
  std::uint8_t next_ = 1;
};

struct FakeRouter {
  IpAddress inside = *IpAddress::parse("192.168.0.1");
  IpAddress outside = *IpAddress::parse("198.51.100.2");
  std::set<MappingWay> ways{MappingWay::kPcp};
  wire::PcpResult pcp_result = wire::PcpResult::kSuccess;
  wire::NatPmpResult nat_pmp_result = wire::NatPmpResult::kSuccess;
  std::uint16_t external_port = 0;  // other than what is asked for
  std::uint32_t longest = 7200;
  std::string upnp_error;
  bool silent = false;
  Time started{};
  std::map<std::uint16_t, Time> ports;  // outside, and when they close
  std::vector<std::uint32_t> asked;     // lifetimes, in order

  [[nodiscard]] std::uint32_t epoch(Time now) const {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(now - started).count());
  }
  void restart(Time now) {
    started = now;
    ports.clear();
  }

  std::optional<Buffer> on_datagram(Bytes datagram, Time now) {
    if (silent) {
      return std::nullopt;
    }
    if (const auto request = wire::decode_pcp_request(datagram)) {
      return on_pcp(*request, now);
    }
    if (!ways.contains(MappingWay::kNatPmp)) {
      return std::nullopt;
    }
    wire::NatPmpAnswer answer{nat_pmp_result, epoch(now), std::nullopt, std::nullopt};
    if (datagram.size() == 2) {
      answer.external = outside;
    } else {
      Reader from(datagram.subspan(4));
      const std::uint16_t internal = from.u16();
      const std::uint16_t external = from.u16();
      const std::uint32_t lifetime = std::min(from.u32(), longest);
      answer.mapping = {internal, open(internal, external, lifetime, now), lifetime};
    }
    return encode_nat_pmp(answer);
  }

  UpnpAnswer on_upnp(const MapByUpnp& wanted, Time now) {
    if (silent || !ways.contains(MappingWay::kUpnp)) {
      return {wanted.number, std::nullopt, upnp_error};
    }
    const auto seconds = static_cast<std::uint32_t>(wanted.lease.count());
    return {wanted.number, Endpoint{outside, open(wanted.port, wanted.port, seconds, now)}, {}};
  }

 private:
  std::optional<Buffer> on_pcp(const wire::PcpMapRequest& request, Time now) {
    if (!ways.contains(MappingWay::kPcp)) {
      return ways.contains(MappingWay::kNatPmp)
                 ? std::optional(encode_nat_pmp(wire::NatPmpAnswer{wire::NatPmpResult::kUnsupportedVersion,
                                                                   epoch(now), std::nullopt, std::nullopt}))
                 : std::nullopt;
    }
    wire::PcpAnswer answer{pcp_result, std::min(request.lifetime, longest), epoch(now),
                           wire::PcpMapping{request.nonce, request.internal_port, request.suggested}};
    if (pcp_result == wire::PcpResult::kSuccess) {
      answer.mapping->external = {outside,
                                  open(request.internal_port, request.suggested.port, request.lifetime, now)};
    }
    return encode_pcp(answer);
  }

  std::uint16_t open(std::uint16_t internal, std::uint16_t wanted, std::uint32_t lifetime, Time now) {
    asked.push_back(lifetime);
    const std::uint16_t port = external_port != 0 ? external_port : wanted != 0 ? wanted : internal;
    if (lifetime == 0) {
      ports.erase(port);
    } else {
      ports[port] = now + std::chrono::seconds{std::min(lifetime, longest)};
    }
    return port;
  }
};

struct PortMappingWorld : testing::Test {
  // Performs until nothing is left to perform; counts how often the port moved.
  void perform(const MappingActions& actions) {
    for (const auto& action : actions) {
      if (const auto* ask = std::get_if<AskGateway>(&action)) {
        ++datagrams;
        last = ask->bytes;
        if (const auto answer = router.on_datagram(ask->bytes, now)) {
          perform(mapping.on_datagram({router.inside, wire::kPcpServerPort}, *answer, now));
        }
      } else if (const auto* map = std::get_if<MapByUpnp>(&action)) {
        if (hold_upnp) {
          held = *map;
        } else {
          perform(mapping.on_upnp(router.on_upnp(*map, now), now));
        }
      } else if (const auto* unmap = std::get_if<UnmapByUpnp>(&action)) {
        router.ports.erase(unmap->external_port);
        ++upnp_removals;
      } else {
        ++moves;
      }
    }
  }
  void begin() { perform(mapping.on_gateway(gateway, now)); }
  // Lets time pass, with every deadline on its way.
  void pass(Duration time) {
    const Time end = now + time;
    while (mapping.next_deadline() <= end) {
      now = std::max(now, mapping.next_deadline());
      perform(mapping.on_deadline(now));
    }
    now = end;
  }
  [[nodiscard]] MappingState state() const { return mapping.status().state; }
  [[nodiscard]] bool is_open() const {
    const auto& external = mapping.status().external;
    const auto port = external ? router.ports.find(external->port) : router.ports.end();
    return port != router.ports.end() && port->second > now;
  }

  Time now{std::chrono::hours{1000}};
  FakeRouter router{.started = now - std::chrono::hours{5}};
  Gateway gateway{router.inside, *IpAddress::parse("192.168.0.2")};
  CountingRandom random;
  PortMapping mapping{random, 4755};
  int datagrams = 0;
  int moves = 0;
  int upnp_removals = 0;
  bool hold_upnp = false;
  std::optional<MapByUpnp> held;
  Buffer last;
};

}  // namespace hearthcast::nat
