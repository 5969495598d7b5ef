// Reading a request's JSON body: bounded, typed, with errors that name the field.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>

#include "tunnelmgr/http/message.hpp"

namespace hearthcast::api {

// The body as a JSON object, or the problem to answer with (415, 400).
[[nodiscard]] std::variant<nlohmann::json, http::Response> json_object(const http::Request& request);

// A member that is a text of at most max_octets. Absent: nullopt without a problem.
struct TextMember {
  std::optional<std::string> value;
  std::optional<http::Response> problem;
};
[[nodiscard]] TextMember text_member(const nlohmann::json& object, const char* name, std::size_t max_octets);

// The media type of the request, lower case, without parameters.
[[nodiscard]] std::string media_type(const http::Request& request);

// Of well-formed UTF-8.
[[nodiscard]] std::size_t characters(std::string_view utf8);

[[nodiscard]] http::Response json_response(int status, const nlohmann::json& body);

}  // namespace hearthcast::api
