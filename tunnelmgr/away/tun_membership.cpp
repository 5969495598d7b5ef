#include "tunnelmgr/away/tun_membership.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "tunnelmgr/away/refusal_match.hpp"

namespace hearthcast::away {
namespace {

using membership::Subscription;

const IpAddress kBoxLinkLocal = *IpAddress::parse("fe80::1");

// A tunnel's, without its haste: between us and the kernel nothing is lost, and a program that leaves says
// so.
membership::Timing timing() {
  membership::Timing timing = membership::tunnel_timing();
  timing.query_response_interval = std::chrono::milliseconds(1000);
  timing.query_repeats.clear();
  return timing;
}

membership::Router router(Family family, const IpAddress& own_address, Time now) {
  // More groups than the box allows, whose refusal is to be told; not more than a broken program may cost.
  constexpr membership::Limits kLimits{.groups = 2 * membership::kTunnelLimits.groups,
                                       .sources = membership::kTunnelLimits.sources,
                                       .listeners = 1};
  return {{.family = family,
           .timing = timing(),
           .limits = kLimits,
           .tracking = membership::Tracking::kPointToPoint,
           .ssm_from_any_source = true},
          own_address,
          now};
}

std::set<Subscription> subscriptions(const membership::FilterChanged& change) {
  if (change.now.mode == FilterMode::kExclude) {
    return {{std::nullopt, change.group}};  // what is excluded the kernel drops itself
  }
  std::set<Subscription> wanted;
  for (const IpAddress& source : change.now.sources) {
    wanted.insert({source, change.group});
  }
  return wanted;
}

}  // namespace

bool is_of_the_local_network(const IpAddress& group) {
  if (group.is_link_scope_multicast()) {
    return true;
  }
  const Bytes octets = group.bytes();
  if (group.is_ip4()) {  // SSDP and WS-Discovery, SLP, and what administrators keep apart next to them
    return octets[0] == 239 && octets[1] == 255 && octets[2] == 255;
  }
  // Permanent groups that exist in every scope: mDNS ff0x::fb, SSDP ff0x::c, SLP ff0x::116, NTP and the like
  // below ff0x::300, and DHCP servers and SLP at ff0x::1:3 and ff0x::1:1000 to ff0x::1:13ff (RFC 2375, IANA).
  const bool permanent = octets[1] >> 4 == 0;
  const bool plain =
      std::all_of(octets.begin() + 2, octets.begin() + 13, [](std::uint8_t octet) { return octet == 0; });
  const unsigned low = octets[14] * 256U + octets[15];
  return permanent && plain &&
         (octets[13] == 0 ? low < 0x300 : octets[13] == 1 && (low < 0x10 || (low >= 0x1000 && low < 0x1400)));
}

TunMembership::TunMembership(Time now)
    : routers_{router(Family::kIp4, IpAddress::any(Family::kIp4), now),
               router(Family::kIp6, kBoxLinkLocal, now)} {}

TunActions TunMembership::on_packet(Bytes ip_packet, Time now) {
  TunActions out;
  for (auto& router : routers_) {
    perform(router.on_packet(ip_packet, now), out);
  }
  return out;
}

TunActions TunMembership::on_address(Time now) {
  TunActions out;
  // As if the router had just come: its start-up queries bring what the kernel could not report before.
  auto& router = routers_[static_cast<std::size_t>(Family::kIp6)];
  perform(router.on_address(std::nullopt, now), out);
  perform(router.on_address(kBoxLinkLocal, now), out);
  return out;
}

void TunMembership::perform(membership::Actions actions, TunActions& out) {
  for (auto& action : actions) {
    if (auto* packet = std::get_if<membership::SendPacket>(&action)) {
      out.emplace_back(WriteToTun{std::move(packet->ip_packet)});
    } else if (const auto* change = std::get_if<membership::FilterChanged>(&action)) {
      take(*change, out);
    } else if (const auto* over = std::get_if<membership::OverLimit>(&action)) {
      if (!std::exchange(told_limit_, true)) {
        out.emplace_back(CannotListen{{over->source, over->group}});
      }
    }
  }
}

// Starts before it stops: a change of filter mode must not interrupt what both want.
void TunMembership::take(const membership::FilterChanged& change, TunActions& out) {
  if (is_of_the_local_network(change.group)) {
    return;
  }
  const auto wanted = subscriptions(change);
  for (const Subscription& one : wanted) {
    if (listened_.try_emplace(one).second) {
      out.emplace_back(StartListening{one});
    }
  }
  for (auto at = listened_.begin(); at != listened_.end();) {
    if (at->first.group == change.group && !wanted.contains(at->first)) {
      out.emplace_back(StopListening{at->first});
      told_limit_ = false;
      at = listened_.erase(at);
    } else {
      ++at;
    }
  }
}

void TunMembership::on_signal(const Subscription& subscription, bool present) {
  const auto at = listened_.find(subscription);
  if (at == listened_.end()) {
    return;
  }
  if (present) {
    at->second = {State::kReceiving, {}, {}};
  } else if (at->second.state == State::kReceiving) {
    at->second.state = State::kWaiting;
  }
}

bool TunMembership::on_refusal(const tunnel::Refusal& refusal) {
  bool any = false;
  for (auto& [subscription, listened] : listened_) {
    if (is_about(refusal.flow, FlowKey{subscription.source, subscription.group, 0})) {
      listened = {State::kRefused, tunnel::to_string(refusal.code), refusal.text};
      any = true;
    }
  }
  return any;
}

TunActions TunMembership::on_deadline(Time now) {
  TunActions out;
  for (auto& router : routers_) {
    if (router.next_deadline() <= now) {
      perform(router.on_deadline(now), out);
    }
  }
  return out;
}

Time TunMembership::next_deadline() const {
  return std::min(routers_[0].next_deadline(), routers_[1].next_deadline());
}

}  // namespace hearthcast::away
