// Backup and restore of what makes a rendezvous the same one: its database and its key.
#pragma once

#include <filesystem>

#include "rendezvous-server/app/settings.hpp"

namespace hearthcast::rendezvous {

// The running program makes a consistent copy; it and the key go to a folder that is new or empty, readable
// by this user alone.
[[nodiscard]] int back_up(const AppSettings& settings, const std::filesystem::path& folder);

// Puts a backup in the state folder, after checking it. Refused while a rendezvous runs there. What it
// replaces stays beside it, as NAME.before-restore.
[[nodiscard]] int restore(const AppSettings& settings, const std::filesystem::path& folder);

}  // namespace hearthcast::rendezvous
