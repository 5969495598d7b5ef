// Asks the running box over its control socket, as every subcommand does.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::app {

// Why there is no answer, with the exit code that says so.
struct AskFailure {
  int exit_code = 1;
  std::string text;
};
[[noreturn]] inline void throw_exception_from_error(const AskFailure& e, const boost::source_location&) {
  throw std::runtime_error(e.text);
}

struct Asking {
  std::string method = "GET";
  std::string path = {};  // below /api/v1
  std::string body = {};
  std::string type = "application/json";
};

// The body of a successful answer: JSON, or empty.
[[nodiscard]] Result<std::string, AskFailure> ask(const std::filesystem::path& control_socket,
                                                  const Asking& asking);

}  // namespace hearthcast::app
