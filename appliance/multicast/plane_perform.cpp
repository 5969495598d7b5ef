// What the proxy decides and the routers say, done to the machine.
#include <algorithm>
#include <iterator>

#include "appliance/multicast/plane.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/netd_protocol.hpp"

namespace hearthcast::multicast {
namespace {

unsigned number(proxy::InterfaceIndex index) { return static_cast<unsigned>(index.value); }

std::string text_of(const proxy::RouteKey& key) {
  return (key.source.is_unspecified() ? "*" : key.source.to_string()) + "," + key.group.to_string();
}

}  // namespace

linux::RouteKey kernel_key(const proxy::RouteKey& key) {
  return {key.group, key.source.is_unspecified() ? std::nullopt : std::optional(key.source)};
}

void Plane::enqueue(proxy::Actions actions) { std::ranges::move(actions, std::back_inserter(queue_)); }

void Plane::enqueue(proxy::InterfaceIndex index, const Downstream::Sayings& sayings) {
  for (const auto& [family, action] : sayings) {
    if (const auto* filter = std::get_if<membership::FilterChanged>(&action)) {
      enqueue(proxy_.on_filter(index, filter->group, filter->now, now_));
    } else if (const auto* querier = std::get_if<membership::QuerierChanged>(&action)) {
      log_.info("querier", {{"interface", std::to_string(index.value)},
                            {"family", family == Family::kIp4 ? "ipv4" : "ipv6"},
                            {"self", querier->self ? "yes" : "no"},
                            {"querier", querier->querier ? querier->querier->to_string() : "none"}});
      enqueue(proxy_.on_querier(index, family, querier->self, querier->self ? std::nullopt : querier->querier,
                                now_));
    } else if (const auto* over = std::get_if<membership::OverLimit>(&action)) {
      if (over_limit_++ % 1000 == 0) {
        log_.warning("over_limit", {{"interface", std::to_string(index.value)},
                                    {"group", over->group.to_string()},
                                    {"refused", std::to_string(over_limit_)}});
      }
    }
  }
}

KernelTables& Plane::tables_of(proxy::InstanceId instance) {
  if (const auto found = tables_.find(instance); found != tables_.end()) {
    return found->second;
  }
  std::uint32_t slot = 0;
  while (std::ranges::any_of(tables_, [&](const auto& each) { return each.second.slot() == slot; })) {
    ++slot;
  }
  return tables_
      .try_emplace(instance, machine_, slot,
                   [this, instance](Family family, Time now) { on_table_readable(instance, family, now); })
      .first->second;
}

Downstream::Settings Plane::router_settings(const linux::Interface& interface) const {
  return {settings_.router(interface.name, Family::kIp4, interface.mtu),
          settings_.router(interface.name, Family::kIp6, interface.mtu)};
}

void Plane::perform(const proxy::AddInterface& action) {
  const auto added = add(action);
  log_.info("multicast_interface", {{"interface", action.name},
                                    {"index", std::to_string(action.index.value)},
                                    {"role", std::string(proxy::code_text(action.role))},
                                    {"error", added ? "" : added.error().text}});
  if (!added) {
    perform(proxy::RemoveInterface{action.instance, action.index});
    enqueue(proxy_.on_interface_refused(action.index, added.error().text, now_));
  }
}

Result<void, Failure> Plane::add(const proxy::AddInterface& action) {
  const linux::Interface* present = interface(action.index);
  if (present == nullptr) {
    return Failure{"The interface is gone."};
  }
  if (action.routing) {
    KernelTables& tables = tables_of(action.instance);
    if (auto added = tables.add_interface(number(action.index)); !added) {
      return added;
    }
    for (const Family family : {Family::kIp4, Family::kIp6}) {
      trouble(std::string("table ") + std::to_string(tables.slot()) +
                  (family == Family::kIp4 ? " of IPv4" : " of IPv6"),
              tables.failure(family));
    }
  } else if (const auto tables = tables_.find(action.instance); tables != tables_.end()) {
    tables->second.remove_interface(number(action.index));
  }
  if (upstreams_.contains(action.index) || downstreams_.contains(action.index)) {
    return {};  // it came again because `routing` changed
  }
  if (action.role == proxy::Role::kUpstream) {
    add_upstream(action);
    return {};
  }
  auto link = machine_.open_link(
      number(action.index), [this, index = action.index](Time now) { on_downstream_readable(index, now); });
  if (!link) {
    return link.error();
  }
  downstreams_.try_emplace(action.index, std::move(*link), *present, router_settings(*present), now_);
  return {};
}

// Queries cannot be heard without a link, but everything else works.
void Plane::add_upstream(const proxy::AddInterface& action) {
  if (usual_ && usual_->index == action.index) {
    usual_.reset();  // one link serves both
  }
  auto link = machine_.open_link(
      number(action.index), [this, index = action.index](Time now) { on_upstream_readable(index, now); });
  trouble("queries of " + action.name, link ? "" : link.error().text);
  upstreams_.try_emplace(action.index, link ? std::move(*link) : nullptr);
}

void Plane::perform(const proxy::RemoveInterface& action) {
  if (upstreams_.erase(action.index) > 0) {
    machine_.memberships().forget(number(action.index));
    std::erase_if(refused_, [&](const auto& entry) { return entry.first.first == action.index; });
  }
  if (const auto found = downstreams_.find(action.index); found != downstreams_.end()) {
    unsent_ += found->second.unsent();
    overflow_ += found->second.overflow();
    downstreams_.erase(found);
  }
  if (const auto tables = tables_.find(action.instance); tables != tables_.end()) {
    tables->second.remove_interface(number(action.index));
  }
}

void Plane::perform(const proxy::RemoveInstance& action) { tables_.erase(action.instance); }

void Plane::perform(const proxy::SetRoute& action) {
  linux::Route route{.key = kernel_key(action.key), .input = number(action.input), .outputs = {}};
  for (const auto& output : action.outputs) {
    route.outputs.push_back({number(output.index), output.threshold});
  }
  const auto set = tables_of(action.instance).set_route(route);
  trouble("route " + text_of(action.key), set ? "" : set.error().text);
  routes_refused_ += set ? 0 : 1;
}

void Plane::perform(const proxy::RemoveRoute& action) {
  trouble("route " + text_of(action.key), "");
  if (const auto tables = tables_.find(action.instance); tables != tables_.end()) {
    tables->second.remove_route(kernel_key(action.key));
  }
}

void Plane::perform(const proxy::SetUpstreamFilter& action) {
  log_.debug("upstream_filter", {{"interface", std::to_string(action.index.value)},
                                 {"group", action.group.to_string()},
                                 {"filter", action.filter.to_string()}});
  set_filter(action.index, action.group, action.filter);
}

void Plane::set_filter(proxy::InterfaceIndex index, const IpAddress& group, const SourceFilter& filter) {
  using Outcome = linux::UpstreamMemberships::Outcome;
  Memberships& memberships = machine_.memberships();
  const SourceFilter before = memberships.joined(number(index), group);
  const auto answer = memberships.set(number(index), group, filter);
  on_joined(index, group, before, memberships.joined(number(index), group));
  const auto key = std::pair(index, group);
  if (answer.outcome == Outcome::kRefused && !filter.wants_nothing()) {
    refused_[key] = {filter, now_ + kRetry};
  } else {
    refused_.erase(key);
  }
  // A link that is gone is no trouble: the proxy hears of it, too.
  trouble("group " + group.to_string(), answer.outcome == Outcome::kGone ? "" : answer.text);
}

void Plane::perform(const proxy::ReportAgain& action) {
  if (const auto found = upstreams_.find(action.index); found != upstreams_.end()) {
    found->second.report_again(now_);
  }
}

void Plane::perform(const proxy::Alarm& action) {
  log_.warning("multicast_alarm",
               {{"code", std::string(proxy::code_text(action.code))}, {"text", action.text}});
}

}  // namespace hearthcast::multicast
