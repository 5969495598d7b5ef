#include "appliance/api/events.hpp"

#include <nlohmann/json.hpp>

#include "appliance/api/handlers.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {
namespace {

std::string text(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::vector<Event> render_events(const Services& services, const LiveState& live, Time now) {
  const household::Household& h = services.household;
  // Rendered once more as of a fixed moment, every duration stands still: what differs then has really
  // changed.
  const Time fixed = services.started;
  const auto status = [&](Time at) { return text(render_status(h, live, services.started, at, true)); };
  const auto devices = [&](Time at) { return text(render_devices(h, live, at)); };
  const auto viewers = [&](Time at) { return text(render_viewers(h, live, at)); };
  const auto pairing = [&](Time at) { return text(render_pairing_event(h, at)); };
  const std::string channels = text(render_channels_event(h, live));
  return {{"status", status(now), status(fixed)},
          {"channels", channels, channels},
          {"devices", devices(now), devices(fixed)},
          {"viewers", viewers(now), viewers(fixed)},
          {"pairing", pairing(now), pairing(fixed)}};
}

http::Response watch_events(const Call&, Services&) {
  http::Response head;
  head.headers.set("Content-Type", "text/event-stream");
  return head;
}

}  // namespace hearthcast::api
