// `/metrics`: what the box counts, for Prometheus and everything that reads its format.
#pragma once

#include <string>
#include <string_view>

#include "appliance/api/services.hpp"

namespace hearthcast::api {

inline constexpr std::string_view kMetricsPath = "/metrics";

// Nobody signs in here: only this machine itself and the control socket get an answer, unless
// Services::metrics_for_all. Needs live.multicast.
[[nodiscard]] http::Response metrics(const http::Request& request, const LiveState& live, Time now,
                                     const Services& services);

// The body alone. Channels and devices are named by their numbers.
[[nodiscard]] std::string metrics_text(const LiveState& live, Duration up_time);

}  // namespace hearthcast::api
