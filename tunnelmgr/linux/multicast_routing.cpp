#include "tunnelmgr/linux/multicast_routing.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/kernel_routes.hpp"
#include "tunnelmgr/linux/route_upcall.hpp"

namespace hearthcast::linux {
namespace {

static_assert(MulticastRouting::kMaxInterfaces == kPlaces);

constexpr unsigned kLargestIp6Index = 65535;  // mif6ctl has 16 bits for it
constexpr std::uint8_t kLeastThreshold = 1;

IpAddress source_of(const RouteKey& key) { return key.source.value_or(IpAddress::any(key.group.family())); }

std::string text_of(const RouteKey& key) {
  return "the route of " + (key.source ? key.source->to_string() : "any source") + " to " +
         key.group.to_string();
}

// Why it can be no route of that family; empty when it can.
std::string objection(const Route& route, Family family) {
  const RouteKey& key = route.key;
  if (key.group.family() != family || !key.group.is_multicast() || key.group.is_link_scope_multicast()) {
    return "its group is no multicast group of this family that routers may forward";
  }
  if (key.source &&
      (key.source->family() != family || key.source->is_multicast() || key.source->is_unspecified() ||
       key.source->is_link_local() || key.source->is_loopback())) {
    return "its source is no unicast address of this family that routers may forward";
  }
  for (const RouteOutput& output : route.outputs) {
    if (output.threshold < kLeastThreshold || output.threshold == kNowhere) {
      return "its threshold is not between 1 and 254";
    }
    if (family == Family::kIp6 && output.threshold != kLeastThreshold) {
      return "the kernel's IPv6 routes have no thresholds; leave it at 1";
    }
  }
  return {};
}

Route in_order(Route route) {
  std::erase_if(route.outputs,
                [&](const RouteOutput& output) { return output.interface_index == route.input; });
  std::ranges::sort(route.outputs);
  const auto same = [](const RouteOutput& a, const RouteOutput& b) {
    return a.interface_index == b.interface_index;
  };
  route.outputs.erase(std::unique(route.outputs.begin(), route.outputs.end(), same), route.outputs.end());
  return route;
}

}  // namespace

Result<MulticastRouting, Failure> MulticastRouting::open(Family family, std::uint32_t table,
                                                         NetdClient& netd) {
  auto fd = netd.open_multicast_routing(family, table);
  if (!fd) {
    return fd.error();
  }
  return MulticastRouting(std::move(*fd), family, table, netd);
}

MulticastRouting::MulticastRouting(Fd fd, Family family, std::uint32_t table, NetdClient& netd)
    : fd_(std::move(fd)), family_(family), table_(table), netd_(&netd) {}

MulticastRouting::MulticastRouting(MulticastRouting&& other) noexcept = default;

MulticastRouting& MulticastRouting::operator=(MulticastRouting&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    family_ = other.family_;
    table_ = other.table_;
    netd_ = other.netd_;
    places_ = std::move(other.places_);
    routes_ = std::move(other.routes_);
  }
  return *this;
}

MulticastRouting::~MulticastRouting() { close(); }

void MulticastRouting::close() {
  if (!fd_) {
    return;
  }
  fd_.close();  // the kernel removes routes and interfaces
  for (const auto& [index, place] : places_) {
    netd_->remove_multicast_rule(family_, table_, index);
  }
  places_.clear();
  routes_.clear();
}

Result<void, Failure> MulticastRouting::add_interface(unsigned index) {
  const bool known = places_.contains(index);
  const auto place = free_place();
  if (!known && !place) {
    return Failure{"no room for interface " + std::to_string(index) + " in multicast routing table " +
                   std::to_string(table_) + ": the kernel takes " + std::to_string(kMaxInterfaces) +
                   " in one table; give some of them an instance of their own"};
  }
  if (family_ == Family::kIp6 && index > kLargestIp6Index) {
    return Failure{"interface " + std::to_string(index) +
                   " cannot forward IPv6 multicast: the kernel takes numbers up to 65535 here; restart the "
                   "machine, so that numbers begin anew"};
  }
  if (!known && !kernel_add_interface(fd_.get(), family_, *place, index)) {
    return kernel_failure("forwarding multicast of interface " + std::to_string(index), errno);
  }
  if (auto ruled = netd_->add_multicast_rule(family_, table_, index); !ruled) {
    if (!known) {
      kernel_remove_interface(fd_.get(), family_, *place);
    }
    return ruled.error();
  }
  if (!known) {
    places_.emplace(index, *place);
  }
  return boost::system::in_place_value;
}

void MulticastRouting::remove_interface(unsigned index) {
  const auto at = places_.find(index);
  if (at == places_.end()) {
    return;
  }
  // Routes first: the kernel keeps the place in them even when the interface is gone, and another may get it.
  for (auto route = routes_.begin(); route != routes_.end();) {
    if (route->second.input == index) {
      kernel_remove_route(fd_.get(), source_of(route->first), route->first.group);
      route = routes_.erase(route);
      continue;
    }
    if (std::erase_if(route->second.outputs,
                      [&](const RouteOutput& o) { return o.interface_index == index; })) {
      static_cast<void>(put_route(route->second, true));
    }
    ++route;
  }
  netd_->remove_multicast_rule(family_, table_, index);
  kernel_remove_interface(fd_.get(), family_, at->second);
  places_.erase(at);
}

Result<void, Failure> MulticastRouting::set_route(const Route& wanted) {
  if (const std::string why = objection(wanted, family_); !why.empty()) {
    return Failure{"cannot set " + text_of(wanted.key) + ": " + why};
  }
  Route route = in_order(wanted);
  bool all_there = places_.contains(route.input);
  for (const RouteOutput& output : route.outputs) {
    all_there = all_there && places_.contains(output.interface_index);
  }
  if (!all_there) {
    return Failure{"cannot set " + text_of(route.key) + ": one of its interfaces is not in the table"};
  }
  const auto known = routes_.find(route.key);
  if (known != routes_.end() && known->second == route) {
    return boost::system::in_place_value;
  }
  // A new route first leads nowhere, which empties the kernel's queue of packets that waited for it.
  const bool drain = known == routes_.end() && route.key.source && !route.outputs.empty();
  if ((drain && !put_route(route, false)) || !put_route(route, true)) {
    return kernel_failure("setting " + text_of(route.key), errno);
  }
  routes_.insert_or_assign(route.key, std::move(route));
  return boost::system::in_place_value;
}

void MulticastRouting::remove_route(const RouteKey& key) {
  if (routes_.erase(key) > 0) {
    kernel_remove_route(fd_.get(), source_of(key), key.group);
  }
}

// The input of a route with any source counts as part of it in the kernel: only then it takes packets from
// there.
bool MulticastRouting::put_route(const Route& route, bool with_outputs) const {
  Thresholds outputs;
  outputs.fill(kNowhere);
  const unsigned input = places_.at(route.input);
  if (!route.key.source) {
    outputs[input] = kLeastThreshold;
  }
  for (const RouteOutput& output : route.outputs) {
    if (with_outputs) {
      outputs[places_.at(output.interface_index)] = output.threshold;
    }
  }
  return kernel_put_route(fd_.get(), source_of(route.key), route.key.group, input, outputs);
}

std::optional<RouteUpcall> MulticastRouting::read() {
  std::array<std::uint8_t, 256> room;
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS)) {
      continue;
    }
    if (got < 0) {
      return std::nullopt;
    }
    const auto told = decode_route_upcall(family_, Bytes(room).first(static_cast<std::size_t>(got)));
    const auto input = told ? interface_at(told->place) : std::nullopt;
    if (input) {
      const auto kind = told->kind == KernelUpcall::Kind::kNoRoute ? RouteUpcall::Kind::kNoRoute
                                                                   : RouteUpcall::Kind::kWrongInterface;
      return RouteUpcall{kind, *input, told->source, told->group};
    }
  }
}

std::optional<RouteCounters> MulticastRouting::counters(const RouteKey& key) const {
  if (!routes_.contains(key)) {
    return std::nullopt;
  }
  const auto counted = kernel_route_counters(fd_.get(), source_of(key), key.group);
  if (!counted) {
    return std::nullopt;
  }
  return RouteCounters{counted->packets, counted->bytes, counted->wrong_interface};
}

std::optional<InterfaceCounters> MulticastRouting::counters(unsigned interface_index) const {
  const auto at = places_.find(interface_index);
  if (at == places_.end()) {
    return std::nullopt;
  }
  const auto counted = kernel_interface_counters(fd_.get(), family_, at->second);
  if (!counted) {
    return std::nullopt;
  }
  return InterfaceCounters{counted->packets_in, counted->bytes_in, counted->packets_out, counted->bytes_out};
}

std::optional<unsigned> MulticastRouting::free_place() const {
  for (unsigned place = 0; place < kMaxInterfaces; ++place) {
    if (!interface_at(place)) {
      return place;
    }
  }
  return std::nullopt;
}

std::optional<unsigned> MulticastRouting::interface_at(unsigned place) const {
  for (const auto& [index, taken] : places_) {
    if (taken == place) {
      return index;
    }
  }
  return std::nullopt;
}

}  // namespace hearthcast::linux
