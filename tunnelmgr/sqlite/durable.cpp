#include "tunnelmgr/sqlite/durable.hpp"

#include <utility>

namespace hearthcast::sqlite {
namespace {

namespace fs = std::filesystem;

// Moves the file and what SQLite keeps beside it; returns the new name.
Result<fs::path> move_aside(const fs::path& file) {
  int number = 1;
  const auto aside = [&] { return fs::path(file).concat(".damaged-" + std::to_string(number)); };
  std::error_code failed;
  while (fs::exists(aside(), failed)) {
    ++number;
  }
  for (const char* suffix : {"-wal", "-shm", ""}) {
    const fs::path from = fs::path(file).concat(suffix);
    if (fs::exists(from, failed)) {
      fs::rename(from, aside().concat(suffix), failed);
      if (failed) {
        return Error{Error::Kind::kUnwritable,
                     "The damaged database " + file.string() + " cannot be moved aside: " + failed.message()};
      }
    }
  }
  return aside();
}

Result<Database> open_intact(const fs::path& file) {
  auto opened = Database::open(file);
  if (opened) {
    if (auto checked = opened->intact(); !checked) {
      return checked.error();
    }
  }
  return opened;
}

// After the place became empty: a backup, or nothing.
Result<Durable> recover(const fs::path& file, const std::string& what_happened) {
  auto restored = restore_newest(file);
  if (!restored && restored.error().kind != Error::Kind::kDamaged) {
    return restored.error();
  }
  auto opened = open_intact(file);
  if (!opened) {
    return opened.error();
  }
  if (restored) {
    return Durable{std::move(*opened), Durable::Origin::kRestored,
                   what_happened + "; restored the newest backup, later changes are lost"};
  }
  return Durable{std::move(*opened), Durable::Origin::kStartedOver,
                 what_happened + "; there is no intact backup, so everything has to be set up again"};
}

Result<Durable> open_unmigrated(const fs::path& file) {
  std::error_code failed;
  if (!fs::exists(file, failed)) {
    bool backup = false;
    for (int number = 1; number <= kKeptBackups; ++number) {
      backup = backup || fs::exists(backup_path(file, number), failed);
    }
    if (backup) {
      return recover(file, "The database " + file.string() + " is missing");
    }
    auto opened = Database::open(file);
    if (!opened) {
      return opened.error();
    }
    return Durable{std::move(*opened), Durable::Origin::kNew, ""};
  }
  auto opened = open_intact(file);
  if (opened) {
    return Durable{std::move(*opened), Durable::Origin::kExisting, ""};
  }
  if (opened.error().kind != Error::Kind::kDamaged) {
    return opened.error();
  }
  const std::string why = opened.error().text;
  opened = Error{};  // closes the file
  const auto aside = move_aside(file);
  if (!aside) {
    return aside.error();
  }
  return recover(file, why + ", kept as " + aside->string());
}

}  // namespace

Result<Durable> open_durable(const fs::path& file, std::span<const Migration> migrations) {
  auto opened = open_unmigrated(file);
  if (opened) {
    if (auto migrated = migrate(opened->database, migrations); !migrated) {
      return migrated.error();
    }
  }
  return opened;
}

}  // namespace hearthcast::sqlite
