#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {

http::Response get_multicast(const Call& call, Services&) {
  return json_response(
      200, render_multicast(call.live.multicast ? *call.live.multicast : multicast::MulticastStatus()));
}

http::Response reload_settings(const Call&, Services& services) {
  if (!services.reload) {
    return respond({503, "busy", "The box cannot read its settings now.", "Try again in a moment.", ""});
  }
  const auto reloaded = services.reload();
  if (!reloaded) {
    return respond({422, "bad_settings", "The settings stay as they were.", reloaded.error().text, ""});
  }
  return json_response(200, {{"text", reloaded->text}});
}

}  // namespace hearthcast::api
