// The running rendezvous and the commands that talk to it.
#pragma once

#include "rendezvous-server/app/settings.hpp"

namespace hearthcast::rendezvous {

// All return an exit code of runtime/exit_code.hpp and tell failures on standard error.
[[nodiscard]] int run(const AppSettings& settings);
[[nodiscard]] int print_status(const AppSettings& settings, bool json);
[[nodiscard]] int print_pin(const AppSettings& settings);

}  // namespace hearthcast::rendezvous
