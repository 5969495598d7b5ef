// `hearthcast-box run`: the whole box in the foreground, until a signal ends it.
#pragma once

#include "appliance/app/box_settings.hpp"

namespace hearthcast::app {

// An exit code (runtime/exit_code.hpp). What went wrong is in the log.
[[nodiscard]] int run(const BoxSettings& settings);

}  // namespace hearthcast::app
