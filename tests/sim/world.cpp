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

int World::add_nat(NatKind kind, const std::string& public_address, Link uplink, std::optional<int> behind) {
  const auto address = IpAddress::parse(public_address);
  if (!address) {
    throw std::invalid_argument(public_address);
  }
  nats_.push_back({std::make_unique<NatRouter>(kind, *address, generator_()), uplink, behind});
  return static_cast<int>(nats_.size()) - 1;
}

void World::add_host(Actor& actor, const std::string& endpoint, std::optional<int> nat, Link uplink) {
  hosts_.push_back({&actor, endpoint_of(endpoint), nat, uplink, {}});
}

void World::remove_host(const Actor& actor) {
  std::erase_if(hosts_, [&](const Host& host) { return host.actor == &actor; });
}

void World::remove_host(const Actor& actor, Family family) {
  std::erase_if(hosts_, [&](const Host& host) {
    return host.actor == &actor && host.endpoint.address.family() == family;
  });
}

void World::set_down(const Actor& actor, bool down) {
  for (Host& host : hosts_) {
    host.uplink.down = host.actor == &actor ? down : host.uplink.down;
  }
}

const World::Host& World::host_of(const Actor& actor) const {
  const auto found = std::ranges::find(hosts_, &actor, &Host::actor);
  if (found == hosts_.end()) {
    throw std::invalid_argument("the world has no such host");
  }
  return *found;
}

const World::Host* World::host_of(const Actor& actor, Family family) const {
  const auto found = std::ranges::find_if(hosts_, [&](const Host& host) {
    return host.actor == &actor && host.endpoint.address.family() == family;
  });
  return found == hosts_.end() ? nullptr : &*found;
}

std::vector<IpAddress> World::addresses_of(const Actor& actor) const {
  std::vector<IpAddress> addresses;
  for (const Host& host : hosts_) {
    if (host.actor == &actor) {
      addresses.push_back(host.endpoint.address);
    }
  }
  return addresses;
}

bool World::reaches_core(const Actor& actor, Family family) const {
  const Host* host = host_of(actor, family);
  if (host == nullptr || host->uplink.down) {
    return false;
  }
  for (auto nat = host->nat; nat; nat = site(*nat).behind) {
    if (site(*nat).uplink.down) {
      return false;
    }
  }
  return true;
}

bool World::lost(const Link& link) {
  return link.down || std::uniform_real_distribution<double>(0, 1)(generator_) < link.loss;
}

void World::across(const Link& link, const Endpoint& from, const Endpoint& to, const Datagram& datagram,
                   const std::function<void()>& what) {
  if (observer_ != nullptr) {
    observer_->on_wire(from, to, *datagram.bytes, now_);
  }
  if (datagram.bytes->size() + 28 > link.mtu) {
    return;
  }
  std::uniform_real_distribution<double> unit(0, 1);
  const int copies = link.duplicates > 0 && unit(generator_) < link.duplicates ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (!lost(link)) {
      at(now_ + link.delay + std::chrono::duration_cast<Duration>(link.jitter * unit(generator_)), what);
    }
  }
}

void World::send(const Actor& from, const Endpoint& to, Bytes bytes) {
  auto* host = const_cast<Host*>(host_of(from, to.address.family()));
  if (host == nullptr) {
    return;
  }
  host->traffic.packets_out += 1;
  host->traffic.bytes_out += bytes.size();
  if (observer_ != nullptr) {
    observer_->on_sent(from, to, bytes, now_);
  }
  const Datagram datagram{&from, std::make_shared<const Buffer>(bytes.begin(), bytes.end())};
  const bool same_site = std::ranges::any_of(hosts_, [&](const Host& other) {
    return other.nat == host->nat && other.endpoint.address == to.address;
  });
  across(host->uplink, host->endpoint, to, datagram,
         [this, source = host->endpoint, nat = host->nat, same_site, to, datagram] {
           if (nat && same_site) {
             deliver(source, to, nat, datagram);
           } else if (!nat) {
             arrive(std::nullopt, source, to, datagram);
           } else if (!to.address.is_private()) {  // nobody routes private addresses
             outwards(nat, source, to, datagram);
           }
         });
}

void World::inject(const Endpoint& claimed_source, const Endpoint& to, Bytes bytes) {
  arrive(std::nullopt, claimed_source, to,
         {nullptr, std::make_shared<const Buffer>(bytes.begin(), bytes.end())});
}

void World::outwards(std::optional<int> nat, const Endpoint& from, const Endpoint& to,
                     const Datagram& datagram) {
  if (!nat) {
    arrive(std::nullopt, from, to, datagram);
    return;
  }
  Site& out = site(*nat);
  const NatKind& kind = out.router->kind();
  if (kind.blocks_udp || (!kind.hairpins && out.router->owns(to.address))) {
    return;
  }
  const Endpoint outside = out.router->outbound(from, to, now_);
  across(out.uplink, outside, to, datagram, [this, behind = out.behind, outside, to, datagram] {
    if (behind) {
      // A neighbour behind the same carrier's NAT is met there.
      const bool neighbour = std::ranges::any_of(
          nats_, [&](const Site& other) { return other.behind == behind && other.router->owns(to.address); });
      neighbour ? arrive(behind, outside, to, datagram) : outwards(behind, outside, to, datagram);
    } else {
      arrive(std::nullopt, outside, to, datagram);
    }
  });
}

void World::arrive(std::optional<int> segment, const Endpoint& from, const Endpoint& to,
                   const Datagram& datagram) {
  for (std::size_t i = 0; i < nats_.size(); ++i) {
    if (nats_[i].behind == segment && nats_[i].router->owns(to.address)) {
      across(nats_[i].uplink, from, to, datagram, [this, i, from, to, datagram] {
        if (nats_[i].router->kind().blocks_udp) {
          return;
        }
        if (const auto inside = nats_[i].router->inbound(from, to, now_)) {
          arrive(static_cast<int>(i), from, *inside, datagram);
        }
      });
      return;
    }
  }
  deliver(from, to, segment, datagram);
}

void World::deliver(const Endpoint& from, const Endpoint& to, std::optional<int> nat,
                    const Datagram& datagram) {
  const auto host =
      std::ranges::find_if(hosts_, [&](const Host& h) { return h.nat == nat && h.endpoint == to; });
  if (host == hosts_.end()) {
    if (!nat && on_stray) {
      on_stray(from, to, *datagram.bytes);
    }
    if (!nat && observer_ != nullptr) {
      observer_->on_stray(datagram.origin, to, *datagram.bytes, now_);
    }
    return;
  }
  if (host->uplink.down) {
    return;
  }
  host->traffic.packets_in += 1;
  host->traffic.bytes_in += datagram.bytes->size();
  if (observer_ != nullptr) {
    observer_->on_delivered(*host->actor, datagram.origin, from, *datagram.bytes, now_);
  }
  host->actor->on_datagram(from, *datagram.bytes, now_);
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
    // Nothing looks at the event between this and its removal.
    const auto what = std::move(const_cast<Event&>(events_.top()).what);
    events_.pop();
    what();
    return;
  }
  for (const Host& host : hosts_) {
    if (host.actor->next_deadline() <= now_) {
      // One call may make another due at once; many in a row are a program that spins.
      idle_turns_ = now_ == turned_at_ ? idle_turns_ + 1 : 0;
      turned_at_ = now_;
      if (idle_turns_ > kMostTurns) {
        throw std::logic_error("a machine's deadline does not move on");
      }
      host.actor->on_deadline(now_);
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
