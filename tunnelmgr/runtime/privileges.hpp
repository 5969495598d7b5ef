// Started as root by hand, a program starts its helper and becomes an ordinary user.
#pragma once

#include <filesystem>
#include <string>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/netd_client.hpp"

namespace hearthcast::runtime {

// Before any thread is started, after ports below 1024 are bound and folders are prepared
// (linux/privileges.hpp). Root with a run_as: starts hearthcast-netd, found beside the program or where
// the packages have it, and drops to that user; a helper that is missing is only a warning. An ordinary
// user connects to the helper's socket of the service manager (netd_socket) if it is there, now or later.
// Root with an empty run_as: changes nothing, and the client has no helper. helper_folder: where to look
// first instead of beside the program. helper_option: for hearthcast-netd's command line, nullptr: none.
[[nodiscard]] Result<linux::NetdClient, Failure> start_helper_and_drop(
    const std::string& run_as, Log& log, const std::filesystem::path& helper_folder = {},
    const std::filesystem::path& netd_socket = "/run/hearthcast/netd.sock",
    const char* helper_option = nullptr);

}  // namespace hearthcast::runtime
