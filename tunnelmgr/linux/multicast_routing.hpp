// Multicast forwarding by the kernel: one routing table of one family, with the rules that send packets of
// its interfaces to it (ip mrule), so that several tables and other multicast routers can live side by side.
//
// What the kernel does, tried for real in the tests of this file's cases:
// * A table has 32 places for interfaces. The one too many is refused with words.
// * A route is of (source, group), or of (any source, group): the first wins. Both work in both families. A
//   packet of a route with any source is forwarded only if it came in by that route's interface.
// * A route without outputs is a negative entry: its packets are dropped in the kernel and counted.
// * Without a route a packet is parked (up to 4 per source and group, 10 s) and told as kNoRoute. What is
//   parked is not delivered when set_route() comes: the backlog would be stale (checklist row 40).
// * A packet with a hop limit of 1 is never forwarded; a route's output takes those with more than its
//   threshold. IPv6 knows only threshold 1: another is refused with words.
// * Packets that come in by another interface than the route's are dropped and counted; they are told as
//   kWrongInterface (at most one per route every 3 s) when that interface is one of the route's outputs, and
//   never change a route.
// * Closing, also by the kernel after a crash, removes all routes and interfaces: nothing is forwarded any
// more.
//   Rules stay after a crash of both the program and its helper; they lead nowhere, and open() removes them.
//
// Interfaces are named by index. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::linux {

struct RouteOutput {
  unsigned interface_index = 0;
  std::uint8_t threshold = 1;  // 1 to 254: packets need a higher hop limit than this when they come in
  friend auto operator<=>(const RouteOutput&, const RouteOutput&) = default;
};

// What a route is known by: one route for each.
struct RouteKey {
  IpAddress group;
  std::optional<IpAddress> source;  // nullopt: any
  friend auto operator<=>(const RouteKey&, const RouteKey&) = default;
};

struct Route {
  RouteKey key;
  unsigned input = 0;                // interface index
  std::vector<RouteOutput> outputs;  // empty: a negative entry. The input among them is left out.
  friend bool operator==(const Route&, const Route&) = default;
};

struct RouteUpcall {
  enum class Kind : std::uint8_t { kNoRoute, kWrongInterface };
  Kind kind = Kind::kNoRoute;
  unsigned input = 0;  // index of the interface that the packet came in by
  IpAddress source;
  IpAddress group;
  friend bool operator==(const RouteUpcall&, const RouteUpcall&) = default;
};

struct RouteCounters {
  std::uint64_t packets = 0;  // matched, whether or not there are outputs
  std::uint64_t bytes = 0;    // of whole IP packets
  std::uint64_t wrong_interface = 0;
  friend bool operator==(const RouteCounters&, const RouteCounters&) = default;
};

struct InterfaceCounters {
  std::uint64_t packets_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t packets_out = 0;
  std::uint64_t bytes_out = 0;
  friend bool operator==(const InterfaceCounters&, const InterfaceCounters&) = default;
};

class MulticastRouting {
 public:
  static constexpr std::size_t kMaxInterfaces = 32;

  // Needs CAP_NET_ADMIN and CAP_NET_RAW or a helper. table: kFirstMulticastTable and the kMulticastTables - 1
  // after it (netd_protocol.hpp); per family each is another. A table that a living program has is refused
  // with words; what a dead one left in it is cleared. The client has to outlive this object.
  [[nodiscard]] static Result<MulticastRouting, Failure> open(Family family, std::uint32_t table,
                                                              NetdClient& netd);
  MulticastRouting(MulticastRouting&& other) noexcept;
  MulticastRouting& operator=(MulticastRouting&& other) noexcept;
  ~MulticastRouting();  // removes rules, routes, interfaces

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when read() has something
  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] std::uint32_t table() const { return table_; }

  // From now on packets of this interface are looked up in this table. Repeat it when the interface has got
  // another name (the kernel's rules know names only); else repeating does nothing. A Failure
  // changes nothing: the interface is gone, cannot do this, or is one too many.
  [[nodiscard]] Result<void, Failure> add_interface(unsigned index);
  // Also of an interface that no longer exists, and please do: its place is only then free. Routes lose this
  // output; routes of this input are removed. Unknown: does nothing.
  void remove_interface(unsigned index);
  [[nodiscard]] bool has_interface(unsigned index) const { return places_.contains(index); }

  // Adds or replaces in one step; a stream that goes on to the same outputs is not interrupted. All
  // interfaces must have been added. Repeating the same route does nothing.
  [[nodiscard]] Result<void, Failure> set_route(const Route& route);
  void remove_route(const RouteKey& key);  // unknown: does nothing
  [[nodiscard]] const std::map<RouteKey, Route>& routes() const { return routes_; }

  // What the kernel tells next; nullopt when nothing waits. Also for interfaces just removed: nothing is
  // told.
  [[nodiscard]] std::optional<RouteUpcall> read();

  // Since the route was first set, or the interface was added; nullopt when there is no such.
  [[nodiscard]] std::optional<RouteCounters> counters(const RouteKey& key) const;
  [[nodiscard]] std::optional<InterfaceCounters> counters(unsigned interface_index) const;

 private:
  MulticastRouting(Fd fd, Family family, std::uint32_t table, NetdClient& netd);
  void close();
  [[nodiscard]] bool put_route(const Route& route, bool with_outputs) const;
  [[nodiscard]] std::optional<unsigned> free_place() const;
  [[nodiscard]] std::optional<unsigned> interface_at(unsigned place) const;

  Fd fd_;
  Family family_;
  std::uint32_t table_;
  NetdClient* netd_;
  std::map<unsigned, unsigned> places_;  // interface index to the kernel's number for it in this table (vif)
  std::map<RouteKey, Route> routes_;
};

}  // namespace hearthcast::linux
