#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/openapi_text.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {

http::Response get_openapi(const Call&, Services&) {
  http::Response response;
  response.headers.set("Content-Type", "application/yaml");
  response.body = std::string(openapi_text());
  return response;
}

http::Response get_status(const Call& call, Services& services) {
  const bool all = call.request.transport == http::Transport::kUnix ||
                   services.logins.is_signed_in(call.request, call.now);
  auto status = render_status(services.household, call.live, services.started, call.now, all);
  if (all) {  // not in the event of the same shape: it would be another one every second
    status["tunnel_port"] = render_tunnel_port(call.live.tunnel_port);
    status["tunnel_interface"] = render_tunnel_interface(call.live.tunnel_interface);
  }
  return json_response(200, status);
}

}  // namespace hearthcast::api
