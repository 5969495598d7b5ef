#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "rendezvous-server/app/run.hpp"
#include "tunnelmgr/http/client.hpp"
#include "tunnelmgr/runtime/exit_code.hpp"

namespace hearthcast::rendezvous {
namespace {

// Fills in the running program's status. Anything but kFine: there is none, and why has been said.
int ask(const AppSettings& settings, nlohmann::json& status) {
  http::ClientRequest request;
  request.to.unix_path = settings.control_socket.string();
  request.to.url.target = "/status";
  const auto response = http::request_and_wait(std::move(request));
  if (!response) {
    std::fprintf(stderr, "hearthcast-rendezvous: %s; is it running, and may this user use its socket?\n",
                 response.error().text.c_str());
    return response.error().connected ? runtime::kFailed : runtime::kNotRunning;
  }
  status = nlohmann::json::parse(response->body, nullptr, false);
  if (response->status != 200 || !status.is_object()) {
    std::fprintf(stderr, "hearthcast-rendezvous: the running program gave no status (%d)\n",
                 response->status);
    return runtime::kFailed;
  }
  return runtime::kFine;
}

}  // namespace

int print_status(const AppSettings& settings, bool as_json) {
  nlohmann::json status;
  if (const int exit_code = ask(settings, status); exit_code != runtime::kFine) {
    return exit_code;
  }
  if (as_json) {
    std::printf("%s\n", status.dump(2).c_str());
    return runtime::kFine;
  }
  const auto number = [&](const char* name) { return status.value(name, std::uint64_t{0}); };
  const auto counter = [&](const char* name) {
    return status.value("counters", nlohmann::json::object()).value(name, std::uint64_t{0});
  };
  std::printf("Key pin:        %s\n", status.value("pin", "").c_str());
  std::printf("Boxes:          %" PRIu64 " connected, %" PRIu64 " known\n", number("boxes"),
              number("known_boxes"));
  std::printf("Devices:        %" PRIu64 " connected\n", number("devices"));
  std::printf("Introductions:  %" PRIu64 " asked, %" PRIu64 " answered\n", counter("introductions"),
              counter("answers"));
  std::printf("Pairings:       %" PRIu64 " tried\n", counter("pairings"));
  std::printf("Refused:        %" PRIu64 ", over a limit %" PRIu64 ", malformed %" PRIu64 "\n",
              counter("refused"), counter("limited"), counter("bad_messages") + counter("bad_hellos"));
  return runtime::kFine;
}

int print_pin(const AppSettings& settings) {
  nlohmann::json status;
  if (const int exit_code = ask(settings, status); exit_code != runtime::kFine) {
    return exit_code;
  }
  std::printf("%s\n", status.value("pin", "").c_str());
  return runtime::kFine;
}

}  // namespace hearthcast::rendezvous
