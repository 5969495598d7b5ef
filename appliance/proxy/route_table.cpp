#include "appliance/proxy/route_table.hpp"

#include <algorithm>

namespace hearthcast::proxy {

RouteTable::Queue* RouteTable::queue_of(const Route& route) {
  if (route.is.pinned) {
    return nullptr;
  }
  return route.negative() ? &negative_ : &learned_;
}

void RouteTable::unqueue(const RouteKey& key, const Route& route) {
  if (Queue* const queue = queue_of(route)) {
    queue->erase({route.expires, key});
  }
}

void RouteTable::queue(const RouteKey& key, Route& route, Time now) {
  Queue* const queue = queue_of(route);
  if (queue == nullptr) {
    route.expires = kNever;
    return;
  }
  route.expires = now + (route.negative() ? kNegativeLifetime : kLearnedLifetime);
  queue->insert({route.expires, key});
}

void RouteTable::set(const RouteKey& key, WantedRoute wanted, Time now, RouteActions& actions) {
  const auto [at, fresh] = routes_.try_emplace(key);
  Route& route = at->second;
  if (!fresh) {
    if (route.is == wanted) {
      return;
    }
    unqueue(key, route);
  } else {
    route.since = now;
  }
  const bool told = fresh || route.is.input != wanted.input || route.is.outputs != wanted.outputs;
  route.is = std::move(wanted);
  queue(key, route, now);
  if (told) {
    (route.negative() ? actions.after : actions.before)
        .push_back(SetRoute{instance_, key, route.is.input, route.is.outputs});
  }
  keep_within(learned_, limits_.learned, actions);
  keep_within(negative_, limits_.negative, actions);
}

void RouteTable::keep_within(Queue& queue, std::size_t limit, RouteActions& actions) {
  while (queue.size() > limit) {
    const RouteKey oldest = queue.begin()->second;
    ++evicted_;
    remove(oldest, actions);
  }
}

void RouteTable::set_limits(RouteLimits limits, RouteActions& actions) {
  limits_ = limits;
  keep_within(learned_, limits_.learned, actions);
  keep_within(negative_, limits_.negative, actions);
}

void RouteTable::remove(const RouteKey& key, RouteActions& actions) {
  const auto at = routes_.find(key);
  if (at == routes_.end()) {
    return;
  }
  unqueue(key, at->second);
  actions.after.push_back(RemoveRoute{instance_, key, at->second.is.input});
  routes_.erase(at);
}

void RouteTable::expire(Time now, RouteActions& actions) {
  for (Queue* const queue : {&learned_, &negative_}) {
    while (!queue->empty() && queue->begin()->first <= now) {
      const RouteKey ended = queue->begin()->second;
      remove(ended, actions);
    }
  }
}

Time RouteTable::next_deadline() const {
  Time next = kNever;
  for (const Queue* const queue : {&learned_, &negative_}) {
    if (!queue->empty()) {
      next = std::min(next, queue->begin()->first);
    }
  }
  return next;
}

void RouteTable::touch(const RouteKey& key, Time now) {
  const auto at = routes_.find(key);
  if (at == routes_.end()) {
    return;
  }
  unqueue(key, at->second);
  queue(key, at->second, now);
  at->second.moved = now;
}

void RouteTable::on_traffic(const RouteKey& key, const Traffic& total, Time now) {
  const auto at = routes_.find(key);
  if (at == routes_.end()) {
    return;
  }
  const bool moved = total.packets != at->second.traffic.packets;
  at->second.traffic = total;
  if (moved) {
    touch(key, now);
  }
}

const Route* RouteTable::find(const RouteKey& key) const {
  const auto at = routes_.find(key);
  return at == routes_.end() ? nullptr : &at->second;
}

std::map<RouteKey, Route>::const_iterator RouteTable::begin_of(const IpAddress& group) const {
  return routes_.lower_bound({group, IpAddress{}});
}

}  // namespace hearthcast::proxy
