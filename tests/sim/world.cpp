#include "tests/sim/world.hpp"

#include <algorithm>
#include <stdexcept>

namespace hearthcast::sim {
namespace {

Endpoint endpoint_of(const std::string& text) {
  const auto endpoint = Endpoint::parse(text);
  if (!endpoint) {
    throw std::invalid_argument(text);
  }
  return *endpoint;
}

}  // namespace

int World::add_nat(NatKind kind, const std::string& public_address, Link uplink) {
  const auto address = IpAddress::parse(public_address);
  if (!address) {
    throw std::invalid_argument(public_address);
  }
  nats_.push_back({std::make_unique<NatRouter>(kind, *address, generator_()), uplink});
  return static_cast<int>(nats_.size()) - 1;
}

void World::add_host(Actor& actor, const std::string& endpoint, std::optional<int> nat, Link uplink) {
  hosts_.push_back({&actor, endpoint_of(endpoint), nat, uplink, {}});
}

void World::remove_host(const Actor& actor) {
  std::erase_if(hosts_, [&](const Host& host) { return host.actor == &actor; });
}

const World::Host& World::host_of(const Actor& actor) const {
  const auto found = std::ranges::find(hosts_, &actor, &Host::actor);
  if (found == hosts_.end()) {
    throw std::invalid_argument("the world has no such host");
  }
  return *found;
}

std::optional<Duration> World::cross(const Link& link) {
  std::uniform_real_distribution<double> unit(0, 1);
  if (unit(generator_) < link.loss) {
    return std::nullopt;
  }
  return link.delay + std::chrono::duration_cast<Duration>(link.jitter * unit(generator_));
}

void World::across(const Link& link, std::size_t datagram, std::function<void()> what) {
  if (datagram + 28 > link.mtu) {
    return;
  }
  if (const auto delay = cross(link)) {
    at(now_ + *delay, std::move(what));
  }
}

void World::send(const Actor& from, const Endpoint& to, Bytes bytes) {
  auto& host = const_cast<Host&>(host_of(from));
  host.traffic.packets_out += 1;
  host.traffic.bytes_out += bytes.size();
  Buffer copy(bytes.begin(), bytes.end());
  const bool same_site = std::ranges::any_of(hosts_, [&](const Host& other) {
    return other.nat == host.nat && other.endpoint.address == to.address;
  });
  across(host.uplink, bytes.size(),
         [this, source = host.endpoint, nat = host.nat, same_site, to, copy = std::move(copy)] {
           if (nat && same_site) {
             deliver(source, to, nat, copy);
           } else if (!nat) {
             through_core(source, to, copy);
           } else if (!to.address.is_private()) {  // nobody routes private addresses
             const Endpoint outside = this->nat(*nat).outbound(source, to, now_);
             across(nats_.at(static_cast<std::size_t>(*nat)).uplink, copy.size(),
                    [this, outside, to, copy] { through_core(outside, to, copy); });
           }
         });
}

void World::inject(const Endpoint& claimed_source, const Endpoint& to, Bytes bytes) {
  through_core(claimed_source, to, Buffer(bytes.begin(), bytes.end()));
}

void World::through_core(const Endpoint& from, const Endpoint& to, Buffer bytes) {
  for (std::size_t i = 0; i < nats_.size(); ++i) {
    if (nats_[i].router->public_address() == to.address) {
      const std::size_t size = bytes.size();  // before they move away
      across(nats_[i].uplink, size, [this, i, from, to, bytes = std::move(bytes)] {
        if (const auto inside = nats_[i].router->inbound(from, to, now_)) {
          deliver(from, *inside, static_cast<int>(i), bytes);
        }
      });
      return;
    }
  }
  deliver(from, to, std::nullopt, bytes);
}

void World::deliver(const Endpoint& from, const Endpoint& to, std::optional<int> nat, const Buffer& bytes) {
  const auto host =
      std::ranges::find_if(hosts_, [&](const Host& h) { return h.nat == nat && h.endpoint == to; });
  if (host == hosts_.end()) {
    if (!nat && on_stray) {
      on_stray(from, to, bytes);
    }
    return;
  }
  host->traffic.packets_in += 1;
  host->traffic.bytes_in += bytes.size();
  host->actor->on_datagram(from, bytes, now_);
}

void World::at(Time when, std::function<void()> what) { events_.push({when, order_++, std::move(what)}); }

Time World::next_event() const {
  Time next = events_.empty() ? kNever : events_.top().when;
  for (const Host& host : hosts_) {
    next = std::min(next, host.actor->next_deadline());
  }
  return next;
}

void World::step(Time when) {
  now_ = std::max(now_, when);
  if (!events_.empty() && events_.top().when <= now_) {
    const auto what = events_.top().what;
    events_.pop();
    what();
    return;
  }
  for (const Host& host : hosts_) {
    if (host.actor->next_deadline() <= now_) {
      Actor* actor = host.actor;
      actor->on_deadline(now_);
      if (actor->next_deadline() <= now_) {
        throw std::logic_error("a machine's deadline does not move on");
      }
      return;
    }
  }
}

void World::run_until(Time end) {
  for (Time next = next_event(); next <= end; next = next_event()) {
    step(next);
  }
  now_ = std::max(now_, end);
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
  const Time end = now_ + limit;
  while (!condition()) {
    const Time next = next_event();
    if (next > end) {
      now_ = end;
      return condition();
    }
    step(next);
  }
  return true;
}

void SeededRandom::fill(MutableBytes out) {
  for (auto& octet : out) {
    octet = static_cast<std::uint8_t>(world_.generator()());
  }
}

}  // namespace hearthcast::sim
