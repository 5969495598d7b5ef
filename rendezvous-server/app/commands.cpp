#include <cinttypes>
#include <cstdio>

#include "rendezvous-server/app/ask.hpp"
#include "rendezvous-server/app/run.hpp"

namespace hearthcast::rendezvous {
int print_status(const AppSettings& settings, bool as_json) {
  nlohmann::json status;
  if (const int exit_code = ask(settings, "GET", "/status", {}, status); exit_code != runtime::kFine) {
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
  const std::string why = status.value("not_ready", "");
  std::printf("State:          %s\n", why.empty() ? "ready" : ("not ready: " + why).c_str());
  std::printf("Boxes:          %" PRIu64 " connected, %" PRIu64 " enrolled, %" PRIu64 " closed\n",
              number("boxes"), number("enrolled_boxes"), number("closed_boxes"));
  std::printf("Devices:        %" PRIu64 " connected\n", number("devices"));
  std::printf("Introductions:  %" PRIu64 " asked, %" PRIu64 " answered\n", counter("introductions"),
              counter("answers"));
  std::printf("Pairings:       %" PRIu64 " tried\n", counter("pairings"));
  std::printf("Enrolments:     %" PRIu64 ", refused %" PRIu64 "\n", counter("enrolled"),
              counter("not_enrolled"));
  std::printf("Refused:        %" PRIu64 ", over a limit %" PRIu64 ", malformed %" PRIu64 "\n",
              counter("refused"), counter("limited"), counter("bad_messages") + counter("bad_hellos"));
  return runtime::kFine;
}

int print_pin(const AppSettings& settings) {
  nlohmann::json status;
  if (const int exit_code = ask(settings, "GET", "/status", {}, status); exit_code != runtime::kFine) {
    return exit_code;
  }
  std::printf("%s\n", status.value("pin", "").c_str());
  return runtime::kFine;
}

}  // namespace hearthcast::rendezvous
