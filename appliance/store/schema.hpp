// The schema of the box's database: numbered, append-only. A released step is never changed; add another.
#pragma once

#include <span>

#include "tunnelmgr/sqlite/migrations.hpp"

namespace hearthcast::store {

[[nodiscard]] std::span<const sqlite::Migration> schema();

}  // namespace hearthcast::store
