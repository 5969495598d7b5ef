// Secrets that an owner or operator wrote into a file and named in the settings.
#pragma once

#include <filesystem>
#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

// The first line, without its end. Fails, in words for the one who wrote it, when the file cannot be read,
// has none, or is open to everybody.
[[nodiscard]] Result<std::string, Failure> read_secret_file(const std::filesystem::path& file);

}  // namespace hearthcast::linux
