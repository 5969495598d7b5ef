#include "rendezvous-server/app/ask.hpp"

#include <cstdio>

#include "tunnelmgr/http/client.hpp"

namespace hearthcast::rendezvous {

int ask(const AppSettings& settings, const std::string& method, const std::string& path,
        const nlohmann::json& body, nlohmann::json& answer) {
  http::ClientRequest request;
  request.to.unix_path = settings.control_socket.string();
  request.to.url.target = path;
  request.method = method;
  request.body = body.is_null() ? "" : body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  request.timeout = std::chrono::seconds{60};
  request.max_body = std::size_t{256} << 20;  // a list of very many boxes
  const auto response = http::request_and_wait(std::move(request));
  if (!response) {
    std::fprintf(stderr, "hearthcast-rendezvous: %s; is it running, and may this user use its socket?\n",
                 response.error().text.c_str());
    return response.error().connected ? runtime::kFailed : runtime::kNotRunning;
  }
  answer = nlohmann::json::parse(response->body, nullptr, false);
  if (!answer.is_object()) {
    std::fprintf(stderr, "hearthcast-rendezvous: the running program gave no answer to this (%d)\n",
                 response->status);
    return runtime::kFailed;
  }
  if (response->status != 200) {
    std::fprintf(stderr, "hearthcast-rendezvous: %s\n", answer.value("text", "refused").c_str());
    return response->status == 409 ? runtime::kRefused : runtime::kFailed;
  }
  return runtime::kFine;
}

}  // namespace hearthcast::rendezvous
