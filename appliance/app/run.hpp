// `hearthcast-box run`: the whole box in the foreground, until a signal ends it.
#pragma once

#include "appliance/app/box_settings.hpp"

namespace hearthcast::app {

// An exit code (runtime/exit_code.hpp). What went wrong is in the log.
// `in_file`: the settings before the command line changed any, and `file` where they came from, for
// reloading.
[[nodiscard]] int run(const BoxSettings& settings, const BoxSettings& in_file,
                      const std::filesystem::path& file);

}  // namespace hearthcast::app
