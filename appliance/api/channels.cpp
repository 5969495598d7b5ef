#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {

http::Response list_channels(const Call& call, Services& services) {
  return json_response(200, render_channels(services.household, call.live));
}

http::Response change_channel(const Call& call, Services& services) {
  const auto body = json_object(call.request);
  if (const auto* problem = std::get_if<http::Response>(&body)) {
    return *problem;
  }
  const ChannelId id{call.id};
  const auto name = text_member(std::get<nlohmann::json>(body), "name", 4 * channels::kMaxNameCharacters);
  if (name.problem) {
    return *name.problem;
  }
  if (characters(name.value.value_or("")) > channels::kMaxNameCharacters) {
    return invalid_field("name", "It is too long.");
  }
  if (name.value) {
    if (auto done = services.household.rename_channel(id, *name.value); !done) {
      return refused(done.error());
    }
  }
  const auto* channel = services.household.access().catalogue().find(id);
  return channel == nullptr ? not_found("There is no such channel any more. Reload the list.")
                            : json_response(200, render_channel(*channel, call.live));
}

http::Response delete_channel(const Call& call, Services& services) {
  if (auto done = services.household.remove_channel(ChannelId{call.id}); !done) {
    return refused(done.error());
  }
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace hearthcast::api
