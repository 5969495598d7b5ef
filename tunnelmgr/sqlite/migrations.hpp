// The schema's history: numbered steps, append-only. A step that was released is never changed.
#pragma once

#include <span>

#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::sqlite {

struct Migration {
  int number;  // from 1, without gaps
  const char* sql;
};

// Applies the steps above PRAGMA user_version, each in a transaction of its own, so a kill between two steps
// is harmless. A database with a higher number is kTooNew and stays untouched.
[[nodiscard]] Result<void> migrate(Database& database, std::span<const Migration> migrations);

}  // namespace hearthcast::sqlite
