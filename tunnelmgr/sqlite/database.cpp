#include "tunnelmgr/sqlite/database.hpp"

#include <sqlite3.h>

#include <utility>

namespace hearthcast::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;  // only a backup tool of the owner could hold the lock

constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;";

int bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(statement, index, *number);
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data() == nullptr ? "" : text->data(), text->size(),
                               SQLITE_STATIC, SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<Bytes>(&value)) {
    return blob->empty() ? sqlite3_bind_zeroblob(statement, index, 0)
                         : sqlite3_bind_blob64(statement, index, blob->data(), blob->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

}  // namespace

bool Row::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Row::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Row::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr
             ? std::string()
             : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Buffer Row::blob(int column) const {
  const auto* octets = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  return octets == nullptr ? Buffer() : Buffer(octets, octets + sqlite3_column_bytes(statement_, column));
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Database> Database::open(const std::filesystem::path& file) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      file.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(file, handle);
  if (code != SQLITE_OK) {
    return make_error(code, "open " + file.string(),
                      handle == nullptr ? "no memory" : sqlite3_errmsg(handle));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (auto done = database.run_script(kSettings); !done) {
    return done.error();
  }
  return database;
}

Error Database::error(std::string_view what) const {
  return make_error(sqlite3_errcode(handle_.get()), file_.string() + ", " + std::string(what),
                    sqlite3_errmsg(handle_.get()));
}

Result<sqlite3_stmt*> Database::prepare(std::string_view sql) {
  const auto [at, fresh] = statements_.try_emplace(std::string(sql));
  if (fresh) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
      statements_.erase(at);
      return error(sql);
    }
    at->second.reset(statement);
  }
  return at->second.get();
}

Result<void> Database::query(std::string_view sql, std::initializer_list<Value> values,
                             const std::function<void(const Row&)>& each) {
  const auto prepared = prepare(sql);
  if (!prepared) {
    return prepared.error();
  }
  sqlite3_stmt* statement = *prepared;
  int index = 0;
  int code = SQLITE_OK;
  for (const Value& value : values) {
    code = code == SQLITE_OK ? bind(statement, ++index, value) : code;
  }
  if (code == SQLITE_OK) {
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      each(Row(statement));
    }
  }
  Result<void> result;
  if (code != SQLITE_DONE) {
    result = error(sql);
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return result;
}

Result<void> Database::run(std::string_view sql, std::initializer_list<Value> values) {
  return query(sql, values, [](const Row&) {});
}

Result<void> Database::run_script(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("script");
  }
  return {};
}

Result<void> Database::intact() {
  std::string report;
  auto checked = query("PRAGMA quick_check(1)", {}, [&](const Row& row) { report = row.text(0); });
  if (checked && report != "ok") {
    return Error{Error::Kind::kDamaged, "The database is damaged (" + file_.string() + ": " + report + ")"};
  }
  return checked;
}

Transaction::Transaction(Database& database) : database_(database), state_(database.run("BEGIN IMMEDIATE")) {
  open_ = state_.has_value();
}

Transaction::~Transaction() {
  if (open_) {
    (void)database_.run(
        "ROLLBACK");  // fails only when SQLite has rolled back already, as it does on a full disk
  }
}

void Transaction::run(std::string_view sql, std::initializer_list<Value> values) {
  if (state_) {
    state_ = database_.run(sql, values);
  }
}

void Transaction::query(std::string_view sql, std::initializer_list<Value> values,
                        const std::function<void(const Row&)>& each) {
  if (state_) {
    state_ = database_.query(sql, values, each);
  }
}

void Transaction::run_script(const std::string& sql) {
  if (state_) {
    state_ = database_.run_script(sql);
  }
}

Result<void> Transaction::commit() {
  if (state_) {
    state_ = database_.run("COMMIT");
    open_ = !state_;
  }
  return state_;
}

}  // namespace hearthcast::sqlite
