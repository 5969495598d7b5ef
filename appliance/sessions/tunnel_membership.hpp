// The box as router of membership inside a tunnel (MLD from fe80::1, IGMP from 0.0.0.0): the same towards a
// device and towards a foreign peer. Pure.
#pragma once

#include <set>

#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/membership/router.hpp"
#include "tunnelmgr/membership/subscription.hpp"

namespace hearthcast::sessions {

// Groups of source-specific ranges may be asked for from any source: the catalogue decides what is carried,
// and playlists name such groups without their source.
[[nodiscard]] membership::Router tunnel_router(Family family, Time now,
                                               membership::Timing timing = membership::tunnel_timing());
// Towards a device that pings: nothing is asked while it watches nothing.
[[nodiscard]] membership::Router device_router(Family family, Time now);

// A listener's wish as what a catalogue can be asked for. Sources that the host excluded are not taken out:
// it drops them itself, and a channel with them is one flow for every viewer.
[[nodiscard]] std::set<membership::Subscription> subscriptions(const membership::FilterChanged& change);

}  // namespace hearthcast::sessions
