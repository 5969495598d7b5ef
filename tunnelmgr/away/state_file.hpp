// Small files that are written whole or not at all.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/base/result.hpp"

namespace hearthcast::away {

// nullopt: there is none. At most 16 MiB.
[[nodiscard]] Result<std::optional<std::string>, Failure> read_state_file(const std::filesystem::path& file);
// Through a temporary file beside it, mode 0600, on the disk before it takes the name.
[[nodiscard]] Result<void, Failure> write_state_file(const std::filesystem::path& file,
                                                     std::string_view text);

}  // namespace hearthcast::away
