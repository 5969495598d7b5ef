#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"
#include "tunnelmgr/playlist/lan_path.hpp"

namespace hearthcast::api {

using nlohmann::json;

http::Response make_lan_link(const Call& call, Services& services) {
  if (services.lan_port == 0) {
    return respond({409, "http_off", "Players at home need plain HTTP, and it is off.",
                    "Set http.on = true in the box's settings file and restart it.", ""});
  }
  const auto token = services.household.make_lan_link(DeviceId{call.id});
  if (!token) {
    return refused(token.error());
  }
  const std::string path = playlist::lan_playlist_path(*token);
  json urls = json::array();
  for (const Endpoint& address : services.household.card().addresses) {
    urls.push_back("http://" + Endpoint{address.address, services.lan_port}.to_string() + path);
  }
  return json_response(201, {{"path", path}, {"port", services.lan_port}, {"urls", std::move(urls)}});
}

http::Response drop_lan_link(const Call& call, Services& services) {
  if (auto done = services.household.drop_lan_link(DeviceId{call.id}); !done) {
    return refused(done.error());
  }
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace hearthcast::api
