#include "tunnelmgr/sqlite/backup.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace hearthcast::sqlite {
namespace {

namespace fs = std::filesystem;

Error system_error(const std::string& what) {
  const int code = errno;
  const Error::Kind kind = code == ENOSPC || code == EDQUOT ? Error::Kind::kFull : Error::Kind::kUnwritable;
  return {kind, what + ": " + std::strerror(code)};
}

Result<void> sync_path(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return system_error("open " + path.string());
  }
  const bool synced = ::fsync(fd) == 0;
  Result<void> result;
  if (!synced) {
    result = system_error("sync " + path.string());
  }
  ::close(fd);
  return result;
}

Result<void> rename_synced(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return system_error("rename " + from.string() + " to " + to.string());
  }
  return sync_path(to.parent_path());
}

void remove_quietly(const fs::path& file) {
  std::error_code ignored;
  fs::remove(file, ignored);
}

Result<void> copy_pages(Database& from, const fs::path& to) {
  sqlite3* target = nullptr;
  int code = sqlite3_open_v2(to.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_backup* job = sqlite3_backup_init(target, "main", from.handle(), "main");
    if (job != nullptr) {
      (void)sqlite3_backup_step(job, -1);  // finish() returns what went wrong
      (void)sqlite3_backup_finish(job);
    }
    code = sqlite3_errcode(target);
  }
  // One file without a journal beside it, whatever mode the source is in.
  if (code == SQLITE_OK) {
    code = sqlite3_exec(target, "PRAGMA journal_mode=DELETE", nullptr, nullptr, nullptr);
  }
  Result<void> result;
  if (code != SQLITE_OK) {
    result = make_error(code, "back up to " + to.string(), sqlite3_errmsg(target));
  }
  sqlite3_close_v2(target);
  return result;
}

}  // namespace

fs::path backup_path(const fs::path& database_file, int number) {
  return database_file.parent_path() / "backups" /
         (database_file.filename().string() + "." + std::to_string(number));
}

Result<void> back_up(Database& database, Rotate rotate) {
  const fs::path newest = backup_path(database.file(), 1);
  const fs::path draft = fs::path(newest).concat(".draft");
  std::error_code failed;
  fs::create_directories(newest.parent_path(), failed);
  remove_quietly(draft);
  auto done = failed
                  ? Result<void>(Error{Error::Kind::kUnwritable,
                                       "create " + newest.parent_path().string() + ": " + failed.message()})
                  : copy_pages(database, draft);
  done = done ? sync_path(draft) : done;
  if (!done) {
    remove_quietly(draft);
    return done;
  }
  if (rotate == Rotate::kShift) {
    for (int number = kKeptBackups - 1; number >= 1; --number) {
      const fs::path from = backup_path(database.file(), number);
      if (fs::exists(from, failed)) {
        if (auto moved = rename_synced(from, backup_path(database.file(), number + 1)); !moved) {
          return moved;
        }
      }
    }
  }
  return rename_synced(draft, newest);
}

Result<void> restore_newest(const fs::path& database_file) {
  const fs::path draft = fs::path(database_file).concat(".restoring");
  for (int number = 1; number <= kKeptBackups; ++number) {
    const fs::path copy = backup_path(database_file, number);
    std::error_code failed;
    if (!fs::copy_file(copy, draft, fs::copy_options::overwrite_existing, failed) || failed) {
      if (failed == std::errc::no_space_on_device) {
        remove_quietly(draft);
        return Error{Error::Kind::kFull,
                     "The disk is full: " + copy.string() + " cannot be restored; free some space"};
      }
      continue;
    }
    bool intact = false;
    {
      auto opened = Database::open(draft);
      intact = opened && opened->intact();
    }
    remove_quietly(fs::path(draft).concat("-wal"));
    remove_quietly(fs::path(draft).concat("-shm"));
    if (!intact) {
      remove_quietly(draft);
      continue;
    }
    if (auto synced = sync_path(draft); !synced) {
      return synced;
    }
    return rename_synced(draft, database_file);
  }
  return Error{Error::Kind::kDamaged, "There is no intact backup of " + database_file.string()};
}

}  // namespace hearthcast::sqlite
