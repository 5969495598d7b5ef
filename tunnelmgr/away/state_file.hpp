// Reading the small files of the state; linux/private_file.hpp writes them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::away {

// nullopt: there is none. At most 16 MiB.
[[nodiscard]] Result<std::optional<std::string>, Failure> read_state_file(const std::filesystem::path& file);

}  // namespace hearthcast::away
