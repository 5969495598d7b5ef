#include "appliance/app/control_client.hpp"

#include <nlohmann/json.hpp>

#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::app {
namespace {

// "title detail" of a problem (RFC 9457); something readable of anything else.
std::string words_of(const http::Response& response) {
  const auto problem = nlohmann::json::parse(response.body, nullptr, false);
  if (!problem.is_object()) {
    return "The box answered with status " + std::to_string(response.status) + ".";
  }
  const std::string detail = problem.value("detail", "");
  return problem.value("title", "") + (detail.empty() ? "" : " " + detail);
}

}  // namespace

Result<std::string, AskFailure> ask(const std::filesystem::path& control_socket, const Asking& asking) {
  http::ClientRequest request;
  request.to.unix_path = control_socket.string();
  request.to.url.host = "localhost";
  request.to.url.target = "/api/v1" + asking.path;
  request.method = asking.method;
  request.headers = {{"X-Hearthcast", "1"}};
  if (!asking.body.empty()) {
    request.headers.set("Content-Type", asking.type);
  }
  request.body = asking.body;
  request.timeout = std::chrono::seconds{60};  // ten thousand channels on a slow card
  const auto answered = http::request_and_wait(std::move(request));
  if (!answered) {
    const bool absent = !answered.error().connected;
    return AskFailure{absent ? runtime::kNotRunning : runtime::kFailed,
                      absent ? "The box is not running, or " + control_socket.string() +
                                   " is not its control socket (" + answered.error().text + ")."
                             : answered.error().text};
  }
  if (answered->status >= 400) {
    return AskFailure{runtime::kRefused, words_of(*answered)};
  }
  return answered->body;
}

}  // namespace hearthcast::app
