// The machine's network interfaces, their addresses and default routes, and word when any of them changes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

struct nl_sock;

namespace hearthcast::linux {

struct InterfaceAddress {
  IpAddress address;
  unsigned prefix = 0;
  bool deprecated = false;  // not for new connections (RFC 4862)
  bool tentative = false;   // not yet usable: duplicate address detection runs or has failed

  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct Interface {
  unsigned index = 0;
  std::string name;
  bool up = false;       // by configuration
  bool running = false;  // the link has a carrier
  bool loopback = false;
  bool multicast = false;
  bool point_to_point = false;
  unsigned mtu = 0;
  std::string kind;     // the kernel's word for a virtual link: bridge, veth, vlan, tun...; else empty
  unsigned master = 0;  // index of the bridge or bond that it is a port of; 0: of none
  unsigned lower =
      0;  // index of the link under it (of a VLAN), or of a veth's other end; 0: none in this network
  std::optional<std::array<std::uint8_t, 6>> mac = {};  // none on links without Ethernet addresses
  std::vector<InterfaceAddress> addresses;

  // Where MLD queries and reports come from: a link-local address that may be used now (not tentative).
  [[nodiscard]] std::optional<IpAddress> link_local() const;
  // Where IGMP queries and reports come from: the lowest usable IPv4 address.
  [[nodiscard]] std::optional<IpAddress> ip4() const;
  friend bool operator==(const Interface&, const Interface&) = default;
};

// Whether it is a TUN interface that tun_interface.hpp makes, of whichever program: what it leads to is
// reached by another interface.
[[nodiscard]] bool is_inside_tunnels(const Interface& one);

// The link that each interface is on: the index of its lowest interface. Two interfaces are on one link when
// what is sent into one can come out of the other without passing a router, as far as this machine can see:
// a bridge (or bond) and its ports, the two ends of a veth pair, a MACVLAN and the link under it, and so on
// through several of these. A VLAN is a link of its own. For finding loops: two interfaces of one link must
// not be upstream and downstream.
[[nodiscard]] std::map<unsigned, unsigned> links_of(const std::vector<Interface>& all);

// A snapshot, in order of index.
[[nodiscard]] Result<std::vector<Interface>, Failure> list_interfaces();

// The index of the interface that the main table's best default route of that family leads through; nullopt
// without one.
[[nodiscard]] std::optional<unsigned> default_route_interface(Family family);
struct DefaultRoutes {
  std::optional<unsigned> ip4;
  std::optional<unsigned> ip6;
  friend bool operator==(const DefaultRoutes&, const DefaultRoutes&) = default;
};
[[nodiscard]] DefaultRoutes default_routes();  // likewise, of both families

// The address that this machine would send from to that one; nullopt without a route. Sends nothing.
[[nodiscard]] std::optional<IpAddress> own_address_towards(const IpAddress& destination);

// Says that links, addresses or routes changed, not what: the reader lists them again. One thread.
class InterfaceMonitor {
 public:
  [[nodiscard]] static Result<InterfaceMonitor, Failure> open();
  [[nodiscard]] int fd() const;  // readable when there may be news
  [[nodiscard]] bool changed();  // takes what waits, never blocking; true when anything did

 private:
  struct Close {
    void operator()(nl_sock* socket) const;
  };
  std::unique_ptr<nl_sock, Close> socket_;
};

}  // namespace hearthcast::linux
