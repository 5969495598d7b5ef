#include "appliance/household/export.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>

#include "tunnelmgr/linux/private_file.hpp"
#include "tunnelmgr/sqlite/backup.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::household {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIdentity = "identity.pem";
constexpr const char* kDatabase = "box.sqlite";

hearthcast::Result<std::string, Failure> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in || text.empty()) {
    return Failure{file.string() + " cannot be read."};
  }
  return hearthcast::Result<std::string, Failure>(boost::system::in_place_value, std::move(text));
}

// The one who owns the folder, whoever runs this.
void give_to_owner(const fs::path& file, const fs::path& folder) {
  struct stat owner {};
  if (::geteuid() == 0 && ::stat(folder.c_str(), &owner) == 0) {
    (void)::chown(file.c_str(), owner.st_uid, owner.st_gid);
  }
}

// A folder that is removed with all that it holds.
struct Draft {
  explicit Draft(const fs::path& state_dir) : folder(state_dir / ".restoring") {
    fs::remove_all(folder, ignored);
    fs::create_directory(folder, ignored);
  }
  ~Draft() { fs::remove_all(folder, ignored); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  fs::path folder;
  std::error_code ignored;
};

// Opens the database once as a box that lost its own does, which checks it and makes it this one's successor.
hearthcast::Result<Restored, Failure> prepare(const store::BoxExport& box, const fs::path& draft) {
  const fs::path copy = sqlite::backup_path(draft / kDatabase, 1);
  std::error_code failed;
  fs::create_directories(copy.parent_path(), failed);
  if (const auto written = linux::write_private_file(copy, box.database, linux::IfThere::kFail); !written) {
    return written.error();
  }
  if (const auto written =
          linux::write_private_file(draft / kIdentity, as_bytes(box.identity), linux::IfThere::kFail);
      !written) {
    return written.error();
  }
  {
    // A store without an intact backup would begin empty.
    auto database = sqlite::Database::open(copy);
    const auto intact = database ? database->intact() : database.error();
    if (!intact) {
      return Failure{"The database of the file cannot be used: " + intact.error().text};
    }
  }
  auto store = store::Store::open(draft);
  if (!store) {
    return Failure{"The database of the file cannot be used: " + store.error().text};
  }
  const auto holdings = store->load();
  if (!holdings) {
    return Failure{"The database of the file cannot be used: " + holdings.error().text};
  }
  Restored restored;
  restored.devices = holdings->devices.devices().size();
  restored.channels = holdings->catalogue.channels().size();
  return restored;
}

hearthcast::Result<fs::path, Failure> move_aside(const fs::path& state_dir) {
  fs::path aside;
  std::error_code failed;
  for (int number = 1; aside.empty() || fs::exists(aside, failed); ++number) {
    aside = state_dir / ("before-restore-" + std::to_string(number));
  }
  fs::create_directory(aside, failed);
  for (const char* const name :
       {"box.sqlite", "box.sqlite-wal", "box.sqlite-shm", "backups", "identity.pem"}) {
    if (!failed && fs::exists(state_dir / name, failed)) {
      fs::rename(state_dir / name, aside / name, failed);
    }
  }
  if (failed) {
    return Failure{"What is in " + state_dir.string() + " cannot be moved aside: " + failed.message()};
  }
  give_to_owner(aside, state_dir);
  return hearthcast::Result<fs::path, Failure>(boost::system::in_place_value, std::move(aside));
}

}  // namespace

hearthcast::Result<store::BoxExport, Failure> export_box(Household& household) {
  auto& store = household.store();
  if (const auto done = store.back_up(sqlite::Rotate::kReplaceNewest); !done) {
    return Failure{"The database cannot be copied: " + done.error().text};
  }
  const fs::path file = store.database().file();
  const auto database = read_file(sqlite::backup_path(file, 1));
  const auto identity = read_file(file.parent_path() / kIdentity);
  if (!database || !identity) {
    return database ? identity.error() : database.error();
  }
  const Bytes octets = as_bytes(*database);
  return store::BoxExport{*identity, Buffer(octets.begin(), octets.end())};
}

hearthcast::Result<Restored, Failure> restore_box(const store::BoxExport& box, const fs::path& state_dir,
                                                  bool force) {
  std::error_code failed;
  fs::create_directories(state_dir, failed);
  const bool used = fs::exists(state_dir / kIdentity, failed) || fs::exists(state_dir / kDatabase, failed);
  if (used && !force) {
    return Failure{state_dir.string() +
                   " holds a box already. With --force it is moved aside, and this one takes "
                   "its place; its devices then need the other to be restored, or to pair anew."};
  }
  const Draft draft(state_dir);
  auto restored = prepare(box, draft.folder);
  if (!restored) {
    return restored;
  }
  if (used) {
    const auto aside = move_aside(state_dir);
    if (!aside) {
      return aside.error();
    }
    restored->former = *aside;
  }
  for (const char* const name : {kDatabase, kIdentity}) {
    fs::rename(draft.folder / name, state_dir / name, failed);
    if (failed) {
      return Failure{"The box cannot be put into " + state_dir.string() + ": " + failed.message()};
    }
    give_to_owner(state_dir / name, state_dir);
  }
  return restored;
}

}  // namespace hearthcast::household
