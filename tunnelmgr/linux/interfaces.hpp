// The machine's network interfaces, their addresses and default routes, and word when any of them changes.
#pragma once

#include <memory>
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
  unsigned mtu = 0;
  std::vector<InterfaceAddress> addresses;

  friend bool operator==(const Interface&, const Interface&) = default;
};

// A snapshot, in order of index.
[[nodiscard]] Result<std::vector<Interface>, Failure> list_interfaces();

// The index of the interface that the main table's best default route of that family leads through; nullopt
// without one.
[[nodiscard]] std::optional<unsigned> default_route_interface(Family family);

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
