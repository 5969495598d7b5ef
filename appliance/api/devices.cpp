#include <algorithm>
#include <nlohmann/json.hpp>

#include "appliance/api/body.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/api/render.hpp"

namespace hearthcast::api {
namespace {

using nlohmann::json;

// "all", or a list of ids.
std::optional<access::Grants> parse_grants(const json& value) {
  if (value == "all") {
    return access::Grants{true, {}};
  }
  if (!value.is_array()) {
    return std::nullopt;
  }
  access::Grants grants;
  for (const json& id : value) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 1) {
      return std::nullopt;
    }
    grants.channels.insert(ChannelId{id.get<std::int64_t>()});
  }
  return grants;
}

// A list of texts; on failure the words for who wrote it.
std::variant<HomeHosts, std::string> parse_home_hosts(const json& value) {
  if (!value.is_array()) {
    return "It has to be a list of texts.";
  }
  HomeHosts hosts;
  for (const json& entry : value) {
    const auto host = entry.is_string() ? HomeHost::parse(entry.get_ref<const std::string&>()) : std::nullopt;
    if (!host) {
      return (entry.is_string() ? "\"" + entry.get<std::string>().substr(0, 64) + "\" is not one: " : "") +
             "it takes a private address as 192.168.1.50, or a network as 192.168.1.0/24, alone or with TCP "
             "ports as 192.168.1.50:80, 192.168.1.50:8000-8100 or [fd00::5]:80.";
    }
    if (std::ranges::find(hosts, *host) == hosts.end()) {
      hosts.push_back(*host);
    }
  }
  return hosts;
}

std::variant<household::DeviceChange, http::Response> parse_change(const json& body) {
  household::DeviceChange change;
  auto name = text_member(body, "name", 4 * access::kMaxDeviceNameCharacters);
  const auto state = text_member(body, "state", 16);
  if (name.problem || state.problem) {
    return name.problem ? *name.problem : *state.problem;
  }
  change.name = std::move(name.value);
  if (state.value) {
    if (*state.value != "approved" && *state.value != "revoked") {
      return invalid_field("state", "It has to be \"approved\" or \"revoked\".");
    }
    change.state =
        *state.value == "approved" ? access::DeviceState::kApproved : access::DeviceState::kRevoked;
  }
  if (const auto at = body.find("channels"); at != body.end()) {
    change.grants = parse_grants(*at);
    if (!change.grants) {
      return invalid_field("channels", "It has to be \"all\" or a list of channel ids.");
    }
  }
  if (const auto at = body.find("home_hosts"); at != body.end()) {
    auto hosts = parse_home_hosts(*at);
    if (const auto* words = std::get_if<std::string>(&hosts)) {
      return invalid_field("home_hosts", *words);
    }
    change.home_hosts = std::move(std::get<HomeHosts>(hosts));
  }
  return change;
}

}  // namespace

http::Response list_devices(const Call& call, Services& services) {
  return json_response(200, render_devices(services.household, call.live, call.now));
}

http::Response change_device(const Call& call, Services& services) {
  const auto body = json_object(call.request);
  if (const auto* problem = std::get_if<http::Response>(&body)) {
    return *problem;
  }
  const auto change = parse_change(std::get<json>(body));
  if (const auto* problem = std::get_if<http::Response>(&change)) {
    return *problem;
  }
  const DeviceId id{call.id};
  if (auto done = services.household.change_device(id, std::get<household::DeviceChange>(change)); !done) {
    return refused(done.error());
  }
  return json_response(200, render_device(services.household, *services.household.access().devices().find(id),
                                          call.live, call.now));
}

http::Response forget_device(const Call& call, Services& services) {
  if (auto done = services.household.forget_device(DeviceId{call.id}); !done) {
    return refused(done.error());
  }
  http::Response response;
  response.status = 204;
  return response;
}

http::Response list_viewers(const Call& call, Services& services) {
  return json_response(200, render_viewers(services.household, call.live, call.now));
}

}  // namespace hearthcast::api
