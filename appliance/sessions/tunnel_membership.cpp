#include "appliance/sessions/tunnel_membership.hpp"

#include <utility>

#include "tunnelmgr/tunnel/inner_addresses.hpp"

namespace hearthcast::sessions {

membership::Router tunnel_router(Family family, Time now, membership::Timing timing) {
  return {{.family = family,
           .timing = std::move(timing),
           .limits = membership::kTunnelLimits,
           .tracking = membership::Tracking::kPointToPoint,
           .ssm_from_any_source = true},
          family == Family::kIp4 ? IpAddress::any(Family::kIp4) : tunnel::box_link_local(),
          now};
}

membership::Router device_router(Family family, Time now) {
  auto timing = membership::tunnel_timing();
  timing.quiet_unless_wanted = true;
  return tunnel_router(family, now, std::move(timing));
}

std::set<membership::Subscription> subscriptions(const membership::FilterChanged& change) {
  if (change.now.mode == FilterMode::kExclude) {
    return {{std::nullopt, change.group}};
  }
  std::set<membership::Subscription> wanted;
  for (const IpAddress& source : change.now.sources) {
    wanted.insert({source, change.group});
  }
  return wanted;
}

}  // namespace hearthcast::sessions
