#include "appliance/api/body.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "appliance/api/problem.hpp"

namespace hearthcast::api {

std::string media_type(const http::Request& request) {
  const std::string_view header = request.headers.get("content-type");
  std::string type(header.substr(0, header.find(';')));
  std::erase(type, ' ');
  std::ranges::transform(type, type.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type;
}

std::variant<nlohmann::json, http::Response> json_object(const http::Request& request) {
  if (media_type(request) != "application/json") {
    return respond({415, "unsupported_media_type", "The body is not JSON.",
                    "Send it as Content-Type: application/json.", ""});
  }
  auto parsed = nlohmann::json::parse(request.body, nullptr, false);
  if (!parsed.is_object()) {  // also what could not be parsed
    return respond({400, "bad_request", "The body is not a JSON object.", "See /api/v1/openapi.yaml.", ""});
  }
  return parsed;
}

TextMember text_member(const nlohmann::json& object, const char* name, std::size_t max_octets) {
  const auto at = object.find(name);
  if (at == object.end()) {
    return {};
  }
  if (!at->is_string()) {
    return {std::nullopt, invalid_field(name, "It has to be a text.")};
  }
  auto text = at->get<std::string>();
  if (text.size() > max_octets) {
    return {std::nullopt, invalid_field(name, "It is too long.")};
  }
  return {std::move(text), std::nullopt};
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

http::Response json_response(int status, const nlohmann::json& body) {
  return http::Response::json(status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace hearthcast::api
