// Files that only their owner reads: keys, and what is sealed or known with them.
#pragma once

#include <filesystem>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::linux {

enum class IfThere { kFail, kReplace };

// Mode 0600, and all of it on the disk, with its name, before this returns. Of what could not be written
// whole nothing stays, and what it was to replace stays as it was; it is written beside that, as FILE.new. A
// symbolic link is refused, as is whatever else is no ordinary file.
[[nodiscard]] Result<void, Failure> write_private_file(const std::filesystem::path& file, Bytes octets,
                                                       IfThere there);

// What was made, renamed and removed in that folder stays so after a power cut.
[[nodiscard]] Result<void, Failure> sync_folder(const std::filesystem::path& folder);

}  // namespace hearthcast::linux
