#include "tunnelmgr/sqlite/migrations.hpp"

namespace hearthcast::sqlite {

Result<void> migrate(Database& database, std::span<const Migration> migrations) {
  std::int64_t present = 0;
  if (auto read =
          database.query("PRAGMA user_version", {}, [&](const Row& row) { present = row.integer(0); });
      !read) {
    return read.error();
  }
  const int newest = migrations.empty() ? 0 : migrations.back().number;
  if (present > newest) {
    return Error{Error::Kind::kTooNew,
                 "The database " + database.file().string() +
                     " was written by a newer version of this program; install that version"};
  }
  for (const Migration& step : migrations) {
    if (step.number <= present) {
      continue;
    }
    Transaction transaction(database);
    transaction.run_script(step.sql);
    transaction.run_script("PRAGMA user_version=" + std::to_string(step.number));
    if (auto done = transaction.commit(); !done) {
      return done.error();
    }
  }
  return {};
}

}  // namespace hearthcast::sqlite
