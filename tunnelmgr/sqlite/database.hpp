// SQLite in WAL mode with synchronous=FULL: an acknowledged commit survives a power cut.
//
// One connection, one thread at a time. Text is UTF-8. The only users of sqlite3.h are this folder's .cpp
// files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/sqlite/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace hearthcast::sqlite {

// A parameter; views need to live only during the call.
using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view, Bytes>;

// The row that a query is at; valid inside the callback only.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] Buffer blob(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Database {
 public:
  // Opens or creates. A file that is no database is kDamaged; whether one is intact, intact() says.
  [[nodiscard]] static Result<Database> open(const std::filesystem::path& file);

  [[nodiscard]] Result<void> run(std::string_view sql, std::initializer_list<Value> values = {});
  [[nodiscard]] Result<void> query(std::string_view sql, std::initializer_list<Value> values,
                                   const std::function<void(const Row&)>& each);
  // Several statements without parameters, as a migration has them.
  [[nodiscard]] Result<void> run_script(const std::string& sql);
  // PRAGMA quick_check. Only kDamaged means damaged: an I/O error says nothing about the content.
  [[nodiscard]] Result<void> intact();
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }  // for this folder

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  Database(std::filesystem::path file, sqlite3* handle) : file_(std::move(file)), handle_(handle) {}
  [[nodiscard]] Result<sqlite3_stmt*> prepare(std::string_view sql);
  [[nodiscard]] Error error(std::string_view what) const;

  std::filesystem::path file_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::unordered_map<std::string, Statement> statements_;  // prepared once; destroyed before the handle
};

// All or nothing. The first failed statement is remembered, the rest is skipped, and commit() returns it; a
// transaction that was not committed is rolled back.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void run(std::string_view sql, std::initializer_list<Value> values = {});
  void query(std::string_view sql, std::initializer_list<Value> values,
             const std::function<void(const Row&)>& each);
  void run_script(const std::string& sql);
  [[nodiscard]] bool failed() const { return state_.has_error(); }
  [[nodiscard]] Result<void> commit();

 private:
  Database& database_;
  Result<void> state_;
  bool open_ = false;
};

}  // namespace hearthcast::sqlite
