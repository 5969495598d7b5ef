#include "tests/sim/lan/lan.hpp"

#include <algorithm>

namespace hearthcast::sim {

using namespace std::chrono_literals;
using membership::Router;

namespace {

IpAddress address(Family family, int subnet, int host) {
  return *IpAddress::parse(family == Family::kIp4
                               ? "192.168." + std::to_string(subnet) + "." + std::to_string(host)
                               : "fe80::" + std::to_string(subnet) + ":" + std::to_string(host));
}

membership::RouterSettings router_settings(const LanSettings& settings) {
  return {.family = settings.family,
          .timing = {.robustness = settings.robustness},
          .fast_leave = settings.fast_leave};
}

}  // namespace

Lan::Lan(const LanSettings& settings, std::uint64_t seed) : settings_(settings), random_(seed) {
  for (const int number : {1, 2}) {
    routers_.emplace_back(router_settings(settings), address(settings.family, 1, number), now_);
    alive_.push_back(true);
  }
  for (const int version : settings.versions) {
    hosts_.emplace_back(settings.family, version,
                        address(settings.family, 1, 50 + static_cast<int>(hosts_.size())),
                        settings.robustness, random_);
    acts_.push_back(now_ + 1s * std::uniform_int_distribution(1, 60)(random_));
  }
  for (const int i : {1, 2, 3}) {
    const std::string number = std::to_string(i);
    const bool ip4 = settings.family == Family::kIp4;
    groups_.push_back(*IpAddress::parse(ip4 ? "239.1.1." + number : "ff1e::" + number));
    sources_.push_back(*IpAddress::parse(ip4 ? "192.0.2." + number : "2001:db8::" + number));
  }
}

void Lan::run(Duration time) {
  const Time end = now_ + time;
  while (next() <= end && faults_.empty()) {
    step_to(next());
  }
  now_ = end;
}

Time Lan::next() const {
  Time when = flying_.empty() ? kNever : flying_.begin()->first;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    when = std::min({when, acts_[i], hosts_[i].next_deadline()});
  }
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    when = alive_[i] ? std::min(when, routers_[i].next_deadline()) : when;
  }
  return when;
}

void Lan::step_to(Time when) {
  now_ = std::max(now_, when);
  while (!flying_.empty() && flying_.begin()->first <= now_) {
    const auto [receiver, octets] = flying_.begin()->second;
    flying_.erase(flying_.begin());
    if (receiver < hosts_.size()) {
      send(receiver, hosts_[receiver].on_packet(octets, now_));
    } else if (const std::size_t router = receiver - hosts_.size(); alive_[router]) {
      perform(router, routers_[router].on_packet(octets, now_));
    }
  }
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    if (acts_[i] <= now_) {
      act(i);
    }
    if (hosts_[i].next_deadline() <= now_) {
      send(i, hosts_[i].on_deadline(now_));
    }
  }
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    if (alive_[i] && routers_[i].next_deadline() <= now_) {
      perform(i, routers_[i].on_deadline(now_));
    }
  }
  judge();
}

void Lan::act(std::size_t index) {
  LanHost& host = hosts_[index];
  const auto pick = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  };
  acts_[index] = now_ + 1ms * std::uniform_int_distribution(500, 120'000)(random_);
  const IpAddress& group = groups_[pick(groups_.size())];
  const auto at = host.wanted().find(group);
  if (at != host.wanted().end() && pick(2) == 0) {
    const auto source = *std::next(at->second.begin(), static_cast<std::ptrdiff_t>(pick(at->second.size())));
    send(index, host.leave(group, source, now_));
  } else if (settings_.unplugged && pick(40) == 0) {
    host.vanish();
  } else {
    send(index, host.join(group, pick(3) == 0 ? std::nullopt : std::optional(sources_[pick(sources_.size())]),
                          now_));
  }
}

void Lan::let_all_leave() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    acts_[i] = kNever;
    while (!hosts_[i].wanted().empty()) {
      const auto& [group, sources] = *hosts_[i].wanted().begin();
      const auto [group_copy, source] = std::pair(group, *sources.begin());
      send(i, hosts_[i].leave(group_copy, source, now_));
    }
  }
  judge();
}

void Lan::kill_querier() {
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    if (alive_[i] && routers_[i].is_querier()) {
      alive_[i] = false;
      return;
    }
  }
}

int Lan::queriers() const {
  int count = 0;
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    count += alive_[i] && routers_[i].is_querier() ? 1 : 0;
  }
  return count;
}

const Router* Lan::querier() const {
  for (std::size_t i = 0; i < routers_.size(); ++i) {
    if (alive_[i] && routers_[i].is_querier()) {
      return &routers_[i];
    }
  }
  return nullptr;
}

bool Lan::anything_forwarded() const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [&](const IpAddress& group) { return !querier()->filter(group).wants_nothing(); });
}

void Lan::send(std::size_t from, const std::vector<Buffer>& packets) {
  for (const Buffer& octets : packets) {
    for (std::size_t to = 0; to < hosts_.size() + routers_.size(); ++to) {
      if (to != from && !std::bernoulli_distribution(settings_.loss)(random_)) {
        const auto delay = std::chrono::microseconds(std::uniform_int_distribution(50, 2000)(random_));
        Time& arrival = last_arrival_[{from, to}];  // links delay, but do not overtake
        arrival = std::max(arrival, now_ + delay);
        flying_.emplace(arrival, std::pair(to, octets));
      }
    }
  }
}

void Lan::perform(std::size_t router, const membership::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* query = std::get_if<membership::SendPacket>(&action)) {
      send(hosts_.size() + router, {query->ip_packet});
    }
  }
}

void Lan::judge() {
  const Router* router = querier();
  if (router == nullptr) {
    return;  // the other one is not yet missed
  }
  const bool mixed =
      std::any_of(hosts_.begin(), hosts_.end(), [](const LanHost& h) { return !h.is_newest(); });
  const Duration longest = settings_.robustness * Duration(125s) + 10s;
  for (const IpAddress& group : groups_) {
    const SourceFilter filter = router->filter(group);
    for (const IpAddress& source : sources_) {
      ++checks_;
      bool wanted = false;
      for (std::size_t i = 0; i < hosts_.size(); ++i) {
        const Want want{i, group, source};
        if (!hosts_[i].wants(group, source)) {
          served_.erase(want);
          continue;
        }
        wanted = true;
        Served& served = served_.try_emplace(want, Served{now_}).first->second;
        if (filter.admits(source)) {
          longest_wait_ = served.yet ? longest_wait_ : std::max(longest_wait_, now_ - served.since);
          served.yet = true;
        } else if (served.yet) {
          faults_.push_back("host " + std::to_string(i) + " lost " + source.to_string() + "@" +
                            group.to_string() + " at " + std::to_string(now_.time_since_epoch() / 1ms) +
                            " ms");
        }
      }
      if (wanted || !filter.admits(source)) {
        unwanted_since_.erase({group, source});
      } else {
        const Time since = unwanted_since_.try_emplace({group, source}, now_).first->second;
        // With older hosts a leave may be void and another version's timer count: twice the time.
        if (now_ - since > longest * (mixed ? 2 : 1) + 20s) {
          faults_.push_back("nobody wants " + source.to_string() + "@" + group.to_string() + " any more");
        }
      }
    }
  }
}

}  // namespace hearthcast::sim
