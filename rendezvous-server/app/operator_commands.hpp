// The operator's commands: the directory of boxes, owners and tokens, and draining. All return an exit code
// of runtime/exit_code.hpp and tell failures on standard error.
#pragma once

#include <map>
#include <string>

#include "rendezvous-server/app/settings.hpp"

namespace hearthcast::rendezvous {

// `list` is "boxes", "owners" or "tokens". owner: only what is his; empty: all.
[[nodiscard]] int print_list(const AppSettings& settings, const std::string& list, const std::string& owner,
                             bool json);

struct OperatorRequest {
  std::string path;  // docs/rendezvous.md
  std::map<std::string, std::string> texts;
  std::map<std::string, std::uint64_t> numbers;
};
// Prints what was answered.
[[nodiscard]] int change(const AppSettings& settings, const OperatorRequest& request, bool json);

// Begins to send clients away, and waits until none is left.
[[nodiscard]] int drain(const AppSettings& settings, std::uint64_t over_s, std::uint64_t retry_s, bool wait);

}  // namespace hearthcast::rendezvous
