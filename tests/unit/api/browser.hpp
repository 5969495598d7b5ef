// Speaks to the API's handlers as a browser, a stranger or the command line would, without any socket.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "appliance/api/router.hpp"
#include "tests/unit/household/home.hpp"

namespace hearthcast::api::testing_browser {

using household::testing_home::Home;
using nlohmann::json;

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string text;
  [[nodiscard]] json body() const { return json::parse(text); }
  [[nodiscard]] std::string code() const { return body().value("code", ""); }
};

struct Browser : Home {
  static constexpr const char* kPassword = "correct horse battery";

  Answer send(const std::string& method, const std::string& path, const std::string& body = "",
              const std::string& type = "application/json") {
    http::Request request;
    request.method = method;
    request.target = request.path = path;
    request.headers = {{"Host", host}, {"Content-Type", type}};
    if (forge_proof) {
      request.headers.set("X-Hearthcast", "1");
    }
    if (!cookie.empty()) {
      request.headers.set("Cookie", "theme=dark; " + cookie);
    }
    request.body = body;
    request.peer = peer;
    request.transport = transport;
    const http::Response response = answer(request, live, now, services);
    const std::string_view given = response.headers.get("set-cookie");
    if (!given.empty()) {
      cookie = std::string(given.substr(0, given.find(';')));
    }
    return {response.status, response.headers, response.body};
  }
  Answer get(const std::string& path) { return send("GET", "/api/v1" + path); }
  Answer post(const std::string& path, const json& body) {
    return send("POST", "/api/v1" + path, body.dump());
  }
  Answer put(const std::string& path, const json& body) { return send("PUT", "/api/v1" + path, body.dump()); }
  Answer patch(const std::string& path, const json& body) {
    return send("PATCH", "/api/v1" + path, body.dump());
  }
  Answer remove(const std::string& path) { return send("DELETE", "/api/v1" + path); }

  void set_up() { (void)post("/setup", {{"setup_code", household->setup_code()}, {"password", kPassword}}); }
  void use_control_socket() { transport = http::Transport::kUnix; }

  std::string host = "192.0.2.1:8871";
  std::string cookie;
  bool forge_proof = true;  // send X-Hearthcast
  Endpoint peer = *Endpoint::parse("192.0.2.50:40000");
  http::Transport transport = http::Transport::kHttps;
  LiveState live;
  Services services{*household, Logins(crypto, random), Throttle(), Throttle(60), {"tv.local"}, now};
};

}  // namespace hearthcast::api::testing_browser
