#include "appliance/api/router.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "appliance/api/export.hpp"
#include "appliance/api/handlers.hpp"
#include "appliance/api/host_check.hpp"
#include "appliance/api/metrics.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/api/web_page.hpp"

namespace hearthcast::api {
namespace {

constexpr std::string_view kPrefix = "/api/v1";

constexpr Route kRoutes[] = {
    {"GET", "/openapi.yaml", Need::kNobody, get_openapi},
    {"GET", "/status", Need::kNobody, get_status},
    {"POST", "/setup", Need::kNobody, set_up},
    {"GET", "/setup/code", Need::kControlSocket, get_setup_code},
    {"GET", "/session", Need::kNobody, get_session},
    {"POST", "/session", Need::kNobody, sign_in},
    {"DELETE", "/session", Need::kOwner, sign_out},
    {"PUT", "/password", Need::kOwner, change_password},
    {"GET", "/channels", Need::kOwner, list_channels},
    {"PATCH", "/channels/{id}", Need::kOwner, change_channel},
    {"DELETE", "/channels/{id}", Need::kOwner, delete_channel},
    {"POST", "/playlist", Need::kOwner, import_playlist},
    {"GET", "/pairings", Need::kOwner, list_pairings},
    {"POST", "/pairings", Need::kOwner, open_pairing},
    {"DELETE", "/pairings/{id}", Need::kOwner, close_pairing},
    {"POST", "/pair", Need::kNobody, pair},
    {"GET", "/devices", Need::kOwner, list_devices},
    {"PATCH", "/devices/{id}", Need::kOwner, change_device},
    {"DELETE", "/devices/{id}", Need::kOwner, forget_device},
    {"POST", "/devices/{id}/lan-link", Need::kOwner, make_lan_link},
    {"DELETE", "/devices/{id}/lan-link", Need::kOwner, drop_lan_link},
    {"GET", "/peers", Need::kOwner, list_peers},
    {"GET", "/viewers", Need::kOwner, list_viewers},
    {"GET", "/multicast", Need::kOwner, get_multicast},
    {"POST", "/reload", Need::kControlSocket, reload_settings},
    {"POST", "/export", Need::kControlSocket, export_box},
    {"GET", "/events", Need::kOwner, watch_events},
};

// The id of the path when it fits the pattern; 0 for a pattern without one.
std::optional<std::int64_t> match(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kId = "{id}";
  const auto at = pattern.find(kId);
  if (at == std::string_view::npos) {
    return pattern == path ? std::optional<std::int64_t>(0) : std::nullopt;
  }
  const std::string_view after = pattern.substr(at + kId.size());
  if (path.size() <= at + after.size() || path.substr(0, at) != pattern.substr(0, at) ||
      !path.ends_with(after)) {
    return std::nullopt;
  }
  const std::string_view digits = path.substr(at, path.size() - at - after.size());
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size() && id > 0;
  return whole ? std::optional(id) : std::nullopt;
}

bool changes_something(std::string_view method) { return method != "GET" && method != "HEAD"; }

bool is_api(std::string_view path) {
  return path == kPrefix || path.substr(0, kPrefix.size() + 1) == std::string(kPrefix) + "/";
}

http::Response missing_header() {
  return respond({403, "missing_header", "This request could come from another page.",
                  "Send the header \"X-Hearthcast: 1\" with requests that change something.", ""});
}

http::Response not_signed_in() {
  return respond({401, "not_signed_in", "You are not signed in.", "Sign in with the owner's password.", ""});
}

bool shows_header(const http::Request& request) { return request.headers.get("x-hearthcast") == "1"; }

// The one request with a large body.
bool brings_playlist(const http::Request& request) {
  return request.method == "POST" && request.path == "/api/v1/playlist";
}

http::Response answer_api(const http::Request& request, const LiveState& live, Time now, Services& services) {
  const std::string_view path = std::string_view(request.path).substr(kPrefix.size());
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  const bool local = request.transport == http::Transport::kUnix;
  std::string allowed;
  for (const Route& route : kRoutes) {
    const auto id = match(route.pattern, path);
    if (!id || (route.need == Need::kControlSocket && !local)) {
      continue;
    }
    if (route.method != method) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    if (changes_something(method) && !shows_header(request)) {
      return missing_header();
    }
    if (route.need == Need::kOwner && !local && !services.logins.is_signed_in(request, now)) {
      return not_signed_in();
    }
    return route.handler({request, live, now, *id}, services);
  }
  if (!allowed.empty()) {
    auto response =
        respond({405, "method_not_allowed", "This cannot be done here.", "Allowed: " + allowed + ".", ""});
    response.headers.set("Allow", allowed);
    return response;
  }
  return not_found("The API is described at /api/v1/openapi.yaml.");
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

http::Response answer(const http::Request& request, const LiveState& live, Time now, Services& services) {
  http::Response response;
  if (request.transport != http::Transport::kUnix &&
      !names_this_box(request.headers.get("host"), services.host_names)) {
    response = respond({421, "unknown_host", "This box does not go by that name.",
                        "Open it by its address, or add the name to http.names in its settings file.", ""});
  } else if (is_api(request.path)) {
    response = answer_api(request, live, now, services);
  } else if (request.path == kMetricsPath) {
    response = metrics(request, live, now, services);
  } else {
    response = web_page(request);
  }
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  if (!response.headers.has("Cache-Control")) {
    response.headers.set("Cache-Control", "no-store");
  }
  return response;
}

bool needs_multicast(std::string_view path) { return path == "/api/v1/multicast" || path == kMetricsPath; }

std::size_t body_limit(const http::Request& head) {
  constexpr std::size_t kPlaylist = std::size_t{4} * 1024 * 1024;
  constexpr std::size_t kOther = std::size_t{64} * 1024;
  return brings_playlist(head) ? kPlaylist : kOther;
}

std::optional<http::Response> refuse_large(const http::Request& head) {
  if (!brings_playlist(head)) {
    return std::nullopt;
  }
  if (!shows_header(head)) {
    return missing_header();
  }
  return head.transport != http::Transport::kUnix && !Logins::shows_session(head)
             ? std::optional(not_signed_in())
             : std::nullopt;
}

}  // namespace hearthcast::api
