#include "appliance/multicast/plane.hpp"

#include <algorithm>

#include "tunnelmgr/base/log.hpp"

namespace hearthcast::multicast {
namespace {

constexpr int kUpcallsAtOnce = 256;  // then others get their turn

std::vector<proxy::Interface> for_proxy(std::span<const linux::Interface> interfaces) {
  std::vector<proxy::Interface> out;
  const auto links = linux::links_of({interfaces.begin(), interfaces.end()});
  for (const linux::Interface& each : interfaces) {
    proxy::Interface row{.index = proxy::InterfaceIndex{each.index},
                         .name = each.name,
                         .up = each.up && each.running,
                         .addresses = {},
                         .link = proxy::InterfaceIndex{links.at(each.index)}};
    for (const auto& entry : each.addresses) {
      if (!entry.tentative) {
        row.addresses.push_back({entry.address, entry.prefix});
      }
    }
    out.push_back(std::move(row));
  }
  return out;
}

// What a tunnel wants of each group, whatever the port.
std::map<IpAddress, SourceFilter> filters_of(const std::set<FlowKey>& flows) {
  std::map<IpAddress, SourceFilter> filters;
  for (const FlowKey& flow : flows) {
    SourceFilter& filter = filters[flow.group];
    if (!flow.source) {
      filter = SourceFilter::any_source();
    } else if (filter.mode == FilterMode::kInclude) {
      filter.sources.insert(*flow.source);
    }
  }
  return filters;
}

}  // namespace

Plane::Plane(Machine& machine, Log& log, MulticastSettings settings)
    : machine_(machine),
      log_(log),
      settings_(std::move(settings)),
      proxy_(settings_.proxy(),
             {.any_source_routes = true, .table_interfaces = linux::MulticastRouting::kMaxInterfaces}) {}

Plane::~Plane() = default;

const linux::Interface* Plane::interface(proxy::InterfaceIndex index) const {
  const auto found = std::ranges::find_if(
      interfaces_, [&](const linux::Interface& each) { return std::int64_t{each.index} == index.value; });
  return found == interfaces_.end() ? nullptr : &*found;
}

void Plane::on_interfaces(std::span<const linux::Interface> interfaces, Time now) {
  begin(now);
  interfaces_.assign(interfaces.begin(), interfaces.end());
  // First the links that stay, so that what they want is known before the proxy turns to those that are new.
  for (auto& [index, downstream] : downstreams_) {
    if (const auto* present = interface(index)) {
      enqueue(index, downstream.on_interface(*present, now));
    }
  }
  enqueue(proxy_.on_interfaces(for_proxy(interfaces_), now));
  finish();
}

void Plane::on_deadline(Time now) {
  begin(now);
  for (auto& [index, downstream] : downstreams_) {
    enqueue(index, downstream.on_deadline(now));
  }
  for (auto& [index, upstream] : upstreams_) {
    if (const auto* present = interface(index); present != nullptr && upstream.next_deadline() <= now) {
      upstream.on_deadline(*present, machine_.memberships(), now);
    }
  }
  const auto refused = refused_;
  for (const auto& [key, again] : refused) {
    if (again.retry <= now) {
      set_filter(key.first, key.second, again.filter);
    }
  }
  if (traffic_at_ <= now) {
    read_traffic();
    traffic_at_ = now + kTrafficInterval;
  }
  if (proxy_.next_deadline() <= now) {
    enqueue(proxy_.on_deadline(now));
  }
  finish();
}

Time Plane::next_deadline() const {
  Time next = std::min(proxy_.next_deadline(), traffic_at_);
  for (const auto& [index, downstream] : downstreams_) {
    next = std::min(next, downstream.next_deadline());
  }
  for (const auto& [index, upstream] : upstreams_) {
    next = std::min(next, upstream.next_deadline());
  }
  for (const auto& [key, again] : refused_) {
    next = std::min(next, again.retry);
  }
  return next;
}

void Plane::on_downstream_readable(proxy::InterfaceIndex index, Time now) {
  begin(now);
  if (const auto found = downstreams_.find(index); found != downstreams_.end()) {
    enqueue(index, found->second.on_readable(now_));
  }
  finish();
}

void Plane::on_upstream_readable(proxy::InterfaceIndex index, Time now) {
  begin(now);
  if (const auto found = upstreams_.find(index); found != upstreams_.end()) {
    for (const proxy::QuerySeen& query : found->second.on_readable(now_)) {
      enqueue(proxy_.on_query(index, query, now_));
    }
  }
  finish();
}

void Plane::on_table_readable(proxy::InstanceId instance, Family family, Time now) {
  begin(now);
  const auto found = tables_.find(instance);
  for (int count = 0; found != tables_.end() && count < kUpcallsAtOnce; ++count) {
    const auto upcall = found->second.read(family);
    if (!upcall) {
      break;
    }
    const proxy::InterfaceIndex input{upcall->input};
    enqueue(upcall->kind == linux::RouteUpcall::Kind::kNoRoute
                ? proxy_.on_data(input, upcall->source, upcall->group, now_)
                : proxy_.on_wrong_interface(input, upcall->source, upcall->group, now_));
  }
  finish();
}

void Plane::on_tunnel(PeerId peer, const std::set<FlowKey>& flows, Time now) {
  begin(now);
  const auto filters = filters_of(flows);
  auto& known = tunnel_groups_[peer];
  for (const IpAddress& group : known) {
    if (!filters.contains(group)) {
      enqueue(proxy_.on_filter(peer, group, {}, now));
    }
  }
  known.clear();
  for (const auto& [group, filter] : filters) {
    known.insert(group);
    enqueue(proxy_.on_filter(peer, group, filter, now));
  }
  if (known.empty()) {
    tunnel_groups_.erase(peer);
    enqueue(proxy_.on_downstream_gone(peer, now));
  }
  finish();
}

void Plane::on_channels(std::vector<proxy::Channel> channels, Time now) {
  begin(now);
  std::ranges::sort(channels);
  channels.erase(std::unique(channels.begin(), channels.end()), channels.end());  // ports do not matter here
  enqueue(proxy_.on_channels(std::move(channels), now));
  finish();
}

void Plane::on_flow(const FlowKey& key, const proxy::Traffic& total, Time now) {
  proxy_.on_flow(key.group, key.source.value_or(IpAddress::any(key.group.family())), total, now);
}

std::optional<unsigned> Plane::upstream_for(const FlowKey& key) const {
  const auto index = proxy_.upstream_for(key.group, key.source);
  return index ? std::optional(static_cast<unsigned>(index->value)) : std::nullopt;
}

std::set<unsigned> Plane::traced_links() const {
  std::set<unsigned> traced;
  for (const auto& [index, downstream] : downstreams_) {
    const auto* present = interface(index);
    if (present != nullptr && present->up && present->running && settings_.traces(present->name)) {
      traced.insert(present->index);
    }
  }
  return traced;
}

void Plane::reload(MulticastSettings settings, Time now) {
  begin(now);
  settings_ = std::move(settings);
  enqueue(proxy_.reload(settings_.proxy(), now));
  finish();
  for (auto& [index, downstream] : downstreams_) {
    if (const auto* present = interface(index)) {
      enqueue(index, downstream.on_settings(router_settings(*present), now));
    }
  }
  finish();
  review_usual_upstream();
}

void Plane::close(Time now) {
  if (closed_) {
    return;
  }
  begin(now);
  enqueue(proxy_.close(now));
  finish();
  closed_ = true;
  usual_.reset();
  machine_.wake_at(kNever);
  upstreams_.clear();
  downstreams_.clear();
  tables_.clear();
}

void Plane::finish() {
  while (!queue_.empty()) {
    const proxy::Action action = std::move(queue_.front());
    queue_.pop_front();
    std::visit([this](const auto& each) { perform(each); }, action);
  }
  if (!closed_) {
    traffic_at_ = tables_.empty() ? kNever : std::min(traffic_at_, now_ + kTrafficInterval);
    machine_.wake_at(next_deadline());
  }
}

void Plane::read_traffic() {
  for (const auto& instance : proxy_.status(now_).instances) {
    const auto tables = tables_.find(instance.id);
    if (tables == tables_.end()) {
      continue;
    }
    for (const auto& route : instance.routes) {
      const auto counted = tables->second.counters(kernel_key(route.key));
      if (counted) {
        proxy_.on_traffic(instance.id, route.key,
                          {.packets = counted->packets,
                           .bytes = counted->bytes,
                           .wrong_interface = counted->wrong_interface},
                          now_);
      }
    }
  }
}

std::vector<InterfaceTraffic> Plane::interface_traffic() const {
  std::vector<InterfaceTraffic> all;
  for (const auto& [instance, tables] : tables_) {
    for (const linux::Interface& each : interfaces_) {
      for (const Family family : {Family::kIp4, Family::kIp6}) {
        if (const auto counted = tables.counters(each.index, family)) {
          all.push_back({.index = proxy::InterfaceIndex{each.index},
                         .family = family,
                         .packets_in = counted->packets_in,
                         .bytes_in = counted->bytes_in,
                         .packets_out = counted->packets_out,
                         .bytes_out = counted->bytes_out});
        }
      }
    }
  }
  return all;
}

MulticastStatus Plane::status(Time now) {
  now_ = now;
  read_traffic();
  MulticastStatus status;
  status.proxy = proxy_.status(now);
  std::uint64_t unsent = unsent_;
  std::uint64_t overflow = overflow_;
  for (auto& [index, downstream] : downstreams_) {
    status.links.push_back({index, downstream.status(now)});
    unsent += downstream.unsent();
    overflow += downstream.overflow();
  }
  status.traffic = interface_traffic();
  for (const auto& [what, text] : troubles_) {
    status.troubles.push_back(text);
  }
  status.drops = {{"link_overflow", overflow},
                  {"query_unsent", unsent},
                  {"over_limit", over_limit_},
                  {"route_refused", routes_refused_}};
  return status;
}

void Plane::trouble(const std::string& what, const std::string& text) {
  const auto known = troubles_.find(what);
  if (text.empty()) {
    if (known != troubles_.end()) {
      troubles_.erase(known);
    }
    return;
  }
  if (known == troubles_.end() || known->second != text) {
    log_.warning("multicast_trouble", {{"what", what}, {"error", text}});
    troubles_[what] = text;
  }
}

}  // namespace hearthcast::multicast
