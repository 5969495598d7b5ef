// Copies of a database beside it, newest first: DIR/NAME.1, NAME.2, NAME.3.
#pragma once

#include <filesystem>
#include <vector>

#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::sqlite {

inline constexpr int kKeptBackups = 3;

// DIR/NAME.N of a database file, whether it exists or not; N counts from 1, the newest.
[[nodiscard]] std::filesystem::path backup_path(const std::filesystem::path& database_file, int number);

enum class Rotate {
  kShift,          // a new newest one; the oldest goes
  kReplaceNewest,  // the newest one is brought up to date
};

// Writes a whole copy, syncs it, and only then gives it its name: a kill leaves the former copies.
[[nodiscard]] Result<void> back_up(Database& database, Rotate rotate);

// Copies the newest backup that is intact to the database's place; kDamaged when there is none. The place
// must be empty, and nobody may have it open.
[[nodiscard]] Result<void> restore_newest(const std::filesystem::path& database_file);

}  // namespace hearthcast::sqlite
