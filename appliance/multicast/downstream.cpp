#include "appliance/multicast/downstream.hpp"

#include <algorithm>

namespace hearthcast::multicast {
namespace {

constexpr std::array kFamilies{Family::kIp4, Family::kIp6};

std::size_t at(Family family) { return static_cast<std::size_t>(family); }

// IPv4's version is 4, IPv6's is 6, in the first four bits of both.
std::optional<Family> family_of(Bytes packet) {
  const int version = packet.empty() ? 0 : packet[0] >> 4;
  return version == 4   ? std::optional(Family::kIp4)
         : version == 6 ? std::optional(Family::kIp6)
                        : std::nullopt;
}

membership::Router router(const linux::Interface& interface, const Downstream::Settings& settings,
                          Family family, Time now) {
  return {settings[at(family)], querier_address(interface, family), now};
}

}  // namespace

std::optional<IpAddress> querier_address(const linux::Interface& interface, Family family) {
  std::optional<IpAddress> second;
  for (const auto& entry : interface.addresses) {
    if (entry.address.family() != family || entry.tentative) {
      continue;
    }
    const bool wanted = entry.address.is_link_local() == (family == Family::kIp6);
    if (wanted) {
      return entry.address;
    }
    second = second ? second : std::optional(entry.address);
  }
  return family == Family::kIp4 ? second : std::nullopt;
}

Downstream::Downstream(std::unique_ptr<Link> link, const linux::Interface& interface,
                       const Settings& settings, Time now)
    : link_(std::move(link)),
      routers_{router(interface, settings, Family::kIp4, now),
               router(interface, settings, Family::kIp6, now)} {
  if (!interface.up || !interface.running) {
    for (membership::Router& each : routers_) {
      (void)each.on_link(false, now);  // nothing can be wanted yet
    }
  }
}

void Downstream::take(Family family, membership::Actions actions, Sayings& out) {
  for (membership::Action& action : actions) {
    if (const auto* packet = std::get_if<membership::SendPacket>(&action)) {
      unsent_ += link_->send(packet->ip_packet) ? 0 : 1;
    } else {
      out.push_back({family, std::move(action)});
    }
  }
}

Downstream::Sayings Downstream::on_readable(Time now) {
  Sayings out;
  for (int count = 0; count < kPacketsAtOnce; ++count) {
    const auto packet = link_->receive();
    if (!packet) {
      break;
    }
    if (const auto family = family_of(*packet)) {
      take(*family, routers_[at(*family)].on_packet(*packet, now), out);
    }
  }
  return out;
}

Downstream::Sayings Downstream::on_interface(const linux::Interface& interface, Time now) {
  Sayings out;
  for (const Family family : kFamilies) {
    membership::Router& each = routers_[at(family)];
    take(family, each.on_link(interface.up && interface.running, now), out);
    take(family, each.on_address(querier_address(interface, family), now), out);
  }
  return out;
}

Downstream::Sayings Downstream::on_settings(const Settings& settings, Time now) {
  Sayings out;
  for (const Family family : kFamilies) {
    take(family, routers_[at(family)].on_settings(settings[at(family)], now), out);
  }
  return out;
}

Downstream::Sayings Downstream::on_deadline(Time now) {
  Sayings out;
  for (const Family family : kFamilies) {
    if (routers_[at(family)].next_deadline() <= now) {
      take(family, routers_[at(family)].on_deadline(now), out);
    }
  }
  return out;
}

Time Downstream::next_deadline() const {
  return std::min(routers_[0].next_deadline(), routers_[1].next_deadline());
}

std::vector<membership::RouterStatus> Downstream::status(Time now) const {
  return {routers_[0].status(now), routers_[1].status(now)};
}

}  // namespace hearthcast::multicast
