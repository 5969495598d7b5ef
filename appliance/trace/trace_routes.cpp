#include "appliance/trace/trace_routes.hpp"

#include <algorithm>

namespace hearthcast::trace {
namespace {

using wire::Mtrace2Code;

bool same_network(const IpAddress& a, const IpAddress& b, unsigned prefix) {
  if (a.family() != b.family() || prefix == 0) {
    return false;
  }
  const Bytes left = a.bytes();
  const Bytes right = b.bytes();
  for (unsigned bit = 0; bit < prefix && bit / 8 < left.size(); ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if (((left[bit / 8] ^ right[bit / 8]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

const proxy::QuerierStatus& querier(const proxy::InterfaceStatus& link, Family family) {
  return link.queriers[family == Family::kIp4 ? 0 : 1];
}

const proxy::InterfaceStatus* find(const proxy::InstanceStatus& instance, proxy::Role role,
                                   std::uint32_t index) {
  const auto found = std::ranges::find_if(instance.interfaces, [&](const proxy::InterfaceStatus& link) {
    return link.role == role && link.state == proxy::InterfaceState::kUp &&
           (index == 0 || link.index.value == std::int64_t{index});
  });
  return found == instance.interfaces.end() ? nullptr : &*found;
}

// Whether somebody on that link gets what the question is about.
bool listened(const proxy::GroupStatus& group, const std::optional<IpAddress>& source, std::uint32_t index) {
  return std::ranges::any_of(group.listeners, [&](const proxy::ListenerStatus& listener) {
    const auto* link =
        listener.downstream ? std::get_if<proxy::InterfaceIndex>(&*listener.downstream) : nullptr;
    return link != nullptr && link->value == std::int64_t{index} && !listener.filter.wants_nothing() &&
           (!source || listener.filter.admits(*source));
  });
}

// The source's own route, else that of any source.
const proxy::RouteStatus* find_route(const proxy::InstanceStatus& instance, const IpAddress& group,
                                     const std::optional<IpAddress>& source) {
  const proxy::RouteStatus* any = nullptr;
  for (const auto& route : instance.routes) {
    if (route.key.group == group) {
      if (source && route.key.source == *source) {
        return &route;
      }
      if (route.key.source.is_unspecified()) {
        any = &route;
      }
    }
  }
  return any;
}

}  // namespace

std::optional<IpAddress> TraceRoutes::address_on(std::uint32_t interface_index, Family family) const {
  std::optional<IpAddress> link_local;
  for (const auto& link : interfaces_) {
    for (const auto& entry : link.addresses) {
      if (link.index == interface_index && entry.address.family() == family && !entry.tentative) {
        if (!entry.address.is_link_local()) {
          return entry.address;
        }
        link_local = entry.address;
      }
    }
  }
  return link_local;
}

bool TraceRoutes::on_link(std::uint32_t interface_index, const IpAddress& address) const {
  return std::ranges::any_of(interfaces_, [&](const linux::Interface& link) {
    return link.index == interface_index &&
           std::ranges::any_of(link.addresses, [&](const linux::InterfaceAddress& entry) {
             return same_network(entry.address, address, entry.prefix);
           });
  });
}

std::optional<RouteFacts> TraceRoutes::route(const IpAddress& group, const std::optional<IpAddress>& source,
                                             std::uint32_t interface_index) const {
  const Family family = group.family();
  const proxy::Status status = status_();
  for (const auto& instance : status.instances) {
    const auto* down = find(instance, proxy::Role::kDownstream, interface_index);
    if (down == nullptr || !querier(*down, family).self) {
      continue;
    }
    RouteFacts facts;
    facts.outgoing_interface = interface_index;
    facts.outgoing = address_on(interface_index, family);
    facts.threshold = down->threshold;
    facts.any_source = !source;
    const auto wanted =
        std::ranges::find_if(instance.groups, [&](const auto& row) { return row.group == group; });
    const bool known = wanted != instance.groups.end();
    const auto* up = known && !wanted->upstreams.empty()
                         ? find(instance, proxy::Role::kUpstream,
                                static_cast<std::uint32_t>(wanted->upstreams.front().index.value))
                         : find(instance, proxy::Role::kUpstream, 0);
    if (up == nullptr) {
      facts.code = Mtrace2Code::kNoRoute;
      return facts;
    }
    facts.incoming_interface = static_cast<std::uint32_t>(up->index.value);
    facts.incoming = address_on(facts.incoming_interface, family);
    if (const auto& above = querier(*up, family).address;
        above && !above->is_unspecified() && !(source && on_link(facts.incoming_interface, *source))) {
      facts.upstream = above;
    }
    facts.code = known && listened(*wanted, source, interface_index) ? Mtrace2Code::kNoError
                                                                     : Mtrace2Code::kNotForwarding;
    if (const auto* route = find_route(instance, group, source)) {
      facts.flow_packets = route->traffic.packets;
      facts.any_source = route->key.source.is_unspecified();
    } else if (known && !source) {
      facts.flow_packets = wanted->traffic.packets;
    }
    return facts;
  }
  return std::nullopt;
}

}  // namespace hearthcast::trace
