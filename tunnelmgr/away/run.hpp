// The running program: everything from the settings to the orderly stop.
#pragma once

#include "tunnelmgr/away/settings.hpp"

namespace hearthcast::away {

[[nodiscard]] int run(const AwaySettings& settings);  // returns the exit code

}  // namespace hearthcast::away
