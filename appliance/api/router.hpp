// From a request to a handler: which path is whose, and what a caller must show before a handler sees the
// request.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "appliance/api/services.hpp"

namespace hearthcast::api {

enum class Need {
  kNobody,         // open to everybody who reaches the box
  kOwner,          // a session, or the control socket
  kControlSocket,  // elsewhere there is nothing
};

struct Route {
  std::string_view method;
  std::string_view pattern;  // below /api/v1; one "{id}" stands for a number
  Need need;
  http::Response (*handler)(const Call&, Services&);
};

[[nodiscard]] std::span<const Route> routes();

// Answers anything: the API below /api/v1, the web page elsewhere. Checks, in this order: Host, route,
// method, the X-Hearthcast header of requests that change something, session.
[[nodiscard]] http::Response answer(const http::Request& request, const LiveState& live, Time now,
                                    Services& services);

// Whether the answer to that path shows LiveState::multicast.
[[nodiscard]] bool needs_multicast(std::string_view path);

// How much body a request may bring; only the playlist is large.
[[nodiscard]] std::size_t body_limit(const http::Request& head);

// An answer to a request with a large body that cannot come from the owner, before that is read. Whether the
// session that it shows is one is seen later, on the worker.
[[nodiscard]] std::optional<http::Response> refuse_large(const http::Request& head);

}  // namespace hearthcast::api
