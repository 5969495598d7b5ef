#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {

http::Response list_pairings(const Call& call, Services& services) {
  nlohmann::json list = nlohmann::json::array();
  services.household.on_deadline(call.now);  // an expired window is none
  if (services.household.desk().invitation() != nullptr) {
    list.push_back(render_pairing(services.household, call.now));
  }
  return json_response(200, {{"pairings", std::move(list)}});
}

http::Response open_pairing(const Call& call, Services& services) {
  if (auto opened = services.household.open_pairing(call.now); !opened) {
    return respond({429, "too_many_windows", "Too many pairing windows.", opened.error().text, ""});
  }
  return json_response(201, render_pairing(services.household, call.now));
}

http::Response close_pairing(const Call& call, Services& services) {
  if (auto closed = services.household.close_pairing(call.id, call.now); !closed) {
    return refused(closed.error());
  }
  http::Response response;
  response.status = 204;
  return response;
}

http::Response pair(const Call& call, Services& services) {
  const IpAddress& source = call.request.peer.address;
  if (const auto wait = services.pair_tries.wait(source, call.now); wait > std::chrono::seconds{0}) {
    return too_many_attempts(wait);
  }
  if (media_type(call.request) != "application/json") {
    return respond({415, "unsupported_media_type", "The body is not JSON.",
                    "Send it as Content-Type: application/json.", ""});
  }
  const auto replied = services.household.pair(call.request.body, call.now);
  if (replied && replied->find("\"error\"") == std::string::npos) {
    return http::Response::json(200, *replied);
  }
  services.pair_tries.failed(source, call.now);
  if (replied) {
    return http::Response::json(200, *replied);
  }
  if (replied.error().kind == household::Refused::Kind::kInvalid) {
    return respond({400, "bad_request", "This is not a pairing message.", "See /api/v1/openapi.yaml.", ""});
  }
  return refused(replied.error());
}

}  // namespace hearthcast::api
