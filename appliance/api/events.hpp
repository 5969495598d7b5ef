// The present state as events of the stream.
#pragma once

#include <vector>

#include "appliance/api/event_board.hpp"
#include "appliance/api/services.hpp"

namespace hearthcast::api {

// One of each type: status, channels, devices, viewers, pairing. Worker thread.
[[nodiscard]] std::vector<Event> render_events(const Services& services, const LiveState& live, Time now);

}  // namespace hearthcast::api
