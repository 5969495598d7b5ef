// Errors of the API as RFC 9457 problem details.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "appliance/household/household.hpp"
#include "tunnelmgr/http/message.hpp"

namespace hearthcast::api {

struct Problem {
  int status = 400;
  std::string_view code;   // stable, for programs; listed in openapi.yaml
  std::string_view title;  // a short sentence for people
  std::string detail;      // what to do next
  std::string field;       // with invalid_field
};

[[nodiscard]] http::Response respond(const Problem& problem);
[[nodiscard]] http::Response too_many_attempts(std::chrono::seconds retry_after);
[[nodiscard]] http::Response invalid_field(std::string field, std::string detail);
[[nodiscard]] http::Response not_found(std::string detail);
[[nodiscard]] http::Response refused(const household::Refused& refusal);
// Of a request that was not even read whole; `text` says what was wrong with it.
[[nodiscard]] http::Response refused_unread(int status, const char* text);

}  // namespace hearthcast::api
