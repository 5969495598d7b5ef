#include "appliance/store/settings_table.hpp"

#include <charconv>

namespace hearthcast::store {

std::optional<std::string> read_setting(sqlite::Transaction& transaction, std::string_view name) {
  std::optional<std::string> value;
  transaction.query("SELECT value FROM setting WHERE name = ?", {name},
                    [&](const sqlite::Row& row) { value = row.text(0); });
  return value;
}

std::int64_t read_number(sqlite::Transaction& transaction, std::string_view name, std::int64_t fallback) {
  const auto text = read_setting(transaction, name);
  std::int64_t number = fallback;
  if (text) {
    (void)std::from_chars(text->data(), text->data() + text->size(),
                          number);  // untouched when it is no number
  }
  return number;
}

void write_setting(sqlite::Transaction& transaction, std::string_view name, std::string_view value) {
  transaction.run(
      "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
      "excluded.value",
      {name, value});
}

void write_number(sqlite::Transaction& transaction, std::string_view name, std::int64_t value) {
  write_setting(transaction, name, std::to_string(value));
}

}  // namespace hearthcast::store
