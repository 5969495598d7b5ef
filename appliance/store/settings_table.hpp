// Small facts about the box itself, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::store {

// Reads inside the transaction; the fallback when it is absent or no number.
[[nodiscard]] std::optional<std::string> read_setting(sqlite::Transaction& transaction,
                                                      std::string_view name);
[[nodiscard]] std::int64_t read_number(sqlite::Transaction& transaction, std::string_view name,
                                       std::int64_t fallback);
void write_setting(sqlite::Transaction& transaction, std::string_view name, std::string_view value);
void write_number(sqlite::Transaction& transaction, std::string_view name, std::int64_t value);

}  // namespace hearthcast::store
