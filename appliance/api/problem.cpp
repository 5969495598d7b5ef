#include "appliance/api/problem.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace hearthcast::api {
namespace {

http::Response problem_json(int status, const nlohmann::json& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "application/problem+json");
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

nlohmann::json members(const Problem& problem) {
  nlohmann::json body = {
      {"type", "about:blank"}, {"title", problem.title}, {"status", problem.status}, {"code", problem.code}};
  if (!problem.detail.empty()) {
    body["detail"] = problem.detail;
  }
  if (!problem.field.empty()) {
    body["field"] = problem.field;
  }
  return body;
}

}  // namespace

http::Response respond(const Problem& problem) { return problem_json(problem.status, members(problem)); }

http::Response too_many_attempts(std::chrono::seconds retry_after) {
  const std::string wait =
      std::to_string(retry_after.count()) + (retry_after.count() == 1 ? " second" : " seconds");
  auto body =
      members({429, "too_many_attempts", "Too many tries.", "Wait " + wait + ", then try again.", ""});
  body["retry_after_s"] = retry_after.count();
  auto response = problem_json(429, body);
  response.headers.set("Retry-After", std::to_string(retry_after.count()));
  return response;
}

http::Response invalid_field(std::string field, std::string detail) {
  return respond({422, "invalid_field", "A field is not right.", std::move(detail), std::move(field)});
}

http::Response not_found(std::string detail) {
  return respond({404, "not_found", "There is nothing here.", std::move(detail), ""});
}

http::Response refused_unread(int status, const char* text) {
  std::string detail(text);
  if (detail.ends_with('\n')) {
    detail.pop_back();
  }
  if (status == 503) {
    return respond({status, "busy", "The box is busy.", std::move(detail), ""});
  }
  const bool large = status == 413 || status == 431;
  return respond({status,
                  large           ? "too_large"
                  : status == 404 ? "not_found"
                                  : "bad_request",
                  large ? "The request is too large." : "The request was not understood.", std::move(detail),
                  ""});
}

http::Response refused(const household::Refused& refusal) {
  using Kind = household::Refused::Kind;
  switch (refusal.kind) {
    case Kind::kNotFound:
      return not_found(refusal.text);
    case Kind::kInvalid:
      return invalid_field(refusal.field, refusal.text);
    case Kind::kStorageFull:
      return respond({507, "storage_full", "The box's disk is full.",
                      "Nothing was changed. Free some space on the box, then try again.", ""});
    case Kind::kTooMany:
      return respond({429, "too_many_attempts", "Too many.", refusal.text, ""});
    case Kind::kStorage:
      break;
  }
  return respond({500, "internal", "The box could not save this.", refusal.text, ""});
}

}  // namespace hearthcast::api
