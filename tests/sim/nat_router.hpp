// A NAT by the words of RFC 4787: how it maps (section 4.1) and how it filters (section 5). A flow that
// nobody inside refreshed for the time-out is forgotten, its mapping with the last of its flows.
//
// With `translates` false it is a firewall in front of a /64: the same filter, and every address stays.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/time.hpp"

namespace hearthcast::sim {

enum class Mapping : std::uint8_t { kEndpointIndependent, kAddressDependent, kAddressAndPortDependent };
enum class Filtering : std::uint8_t { kEndpointIndependent, kAddressDependent, kAddressAndPortDependent };

struct NatKind {
  Mapping mapping = Mapping::kEndpointIndependent;
  Filtering filtering = Filtering::kAddressAndPortDependent;
  Duration timeout = std::chrono::seconds{30};
  bool translates = true;
  bool hairpins = true;     // from inside to its own outside and back in
  bool blocks_udp = false;  // both ways
};
inline constexpr NatKind kFullCone{Mapping::kEndpointIndependent, Filtering::kEndpointIndependent};
inline constexpr NatKind kAddressRestricted{Mapping::kEndpointIndependent, Filtering::kAddressDependent};
inline constexpr NatKind kPortRestricted{Mapping::kEndpointIndependent, Filtering::kAddressAndPortDependent};
inline constexpr NatKind kAddressDependent{Mapping::kAddressDependent, Filtering::kAddressAndPortDependent};
inline constexpr NatKind kSymmetric{Mapping::kAddressAndPortDependent, Filtering::kAddressAndPortDependent};

class NatRouter {
 public:
  // A firewall is known by any address of its /64.
  NatRouter(NatKind kind, IpAddress public_address, std::uint64_t seed)
      : kind_(kind), public_address_(public_address), generator_(seed) {}

  [[nodiscard]] const NatKind& kind() const { return kind_; }
  [[nodiscard]] const IpAddress& public_address() const { return public_address_; }
  [[nodiscard]] bool owns(const IpAddress& address) const;
  // The source that the core sees.
  Endpoint outbound(const Endpoint& inside, const Endpoint& to, Time now);
  // Where it goes inside; nullopt: filtered.
  std::optional<Endpoint> inbound(const Endpoint& from, const Endpoint& to, Time now);
  void forget_everything() { mappings_.clear(); }  // a reboot
  // Forgets everything, and gives other ports than those that the inside uses from now on.
  void rebind();
  // The provider gave it another address: nothing of the old one is left.
  void renumber(const IpAddress& public_address);
  [[nodiscard]] std::uint64_t mappings_made() const { return made_; }
  [[nodiscard]] std::size_t mappings() const { return mappings_.size(); }

 private:
  struct Row {
    Endpoint inside;
    Endpoint towards;  // the part of the destination that the mapping depends on; the rest is zero
    std::uint16_t port = 0;
    std::map<Endpoint, Time> flows;  // whom the inside spoke to, and when last
  };
  [[nodiscard]] Endpoint mapping_key(const Endpoint& to) const;
  [[nodiscard]] std::uint16_t pick_port(std::uint16_t wanted);
  [[nodiscard]] Row* row_of(const Endpoint& to);
  void forget_old(Time now);

  NatKind kind_;
  IpAddress public_address_;
  std::mt19937_64 generator_;
  std::vector<Row> mappings_;
  bool keeps_ports_ = true;
  std::uint64_t made_ = 0;
};

}  // namespace hearthcast::sim
