#include "appliance/household/export.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "tunnelmgr/linux/private_file.hpp"
#include "tunnelmgr/sqlite/backup.hpp"
#include "tunnelmgr/sqlite/database.hpp"

namespace hearthcast::household {
namespace {

namespace fs = std::filesystem;

constexpr const char* kIdentity = "identity.pem";
constexpr const char* kDatabase = "box.sqlite";
constexpr const char* kDecided = ".restored";  // a folder: checked, complete, and about to take its place

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

// A file of a box, and what it takes the place of.
struct Part {
  const char* name;
  std::vector<const char*> replaced;
};
const std::vector<Part>& parts() {
  static const std::vector<Part> kParts = {
      {kDatabase, {kDatabase, "box.sqlite-wal", "box.sqlite-shm", "backups"}}, {kIdentity, {kIdentity}}};
  return kParts;
}

fs::path unused_aside(const fs::path& state_dir) {
  fs::path aside;
  std::error_code failed;
  for (int number = 1; aside.empty() || fs::exists(aside, failed); ++number) {
    aside = state_dir / ("before-restore-" + std::to_string(number));
  }
  return aside;
}

// What the parts that still wait take the place of. Where it was moved; empty: there was nothing.
hearthcast::Result<fs::path, Failure> move_aside(const fs::path& state_dir) {
  fs::path aside;
  std::error_code failed;
  for (const Part& part : parts()) {
    const bool waits = fs::exists(state_dir / kDecided / part.name, failed);
    for (const char* const name : part.replaced) {
      if (failed || !waits || !fs::exists(state_dir / name, failed)) {
        continue;
      }
      if (aside.empty()) {
        aside = unused_aside(state_dir);
        fs::create_directory(aside, failed);
        give_to_owner(aside, state_dir);
      }
      fs::rename(state_dir / name, aside / name, failed);
    }
  }
  if (failed) {
    return Failure{"What is in " + state_dir.string() + " cannot be moved aside: " + failed.message()};
  }
  return hearthcast::Result<fs::path, Failure>(boost::system::in_place_value, std::move(aside));
}

// Each step is on the disk before the next begins, so that a power cut in between finds one that can be
// repeated: a part that waits has not taken its place, whatever of the former was moved by then.
hearthcast::Result<fs::path, Failure> take_place(const fs::path& state_dir) {
  const fs::path decided = state_dir / kDecided;
  auto aside = move_aside(state_dir);
  if (!aside) {
    return aside;
  }
  if (!aside->empty()) {
    if (const auto synced = linux::sync_folder(*aside); !synced) {
      return synced.error();
    }
  }
  if (const auto synced = linux::sync_folder(state_dir); !synced) {
    return synced.error();
  }
  std::error_code failed;
  for (const Part& part : parts()) {
    if (!failed && fs::exists(decided / part.name, failed)) {
      fs::rename(decided / part.name, state_dir / part.name, failed);
    }
  }
  if (failed) {
    return Failure{"The box cannot be put into " + state_dir.string() + ": " + failed.message() +
                   ". It waits in " + decided.string() + "; the next start tries again."};
  }
  if (const auto synced = linux::sync_folder(state_dir); !synced) {
    return synced.error();
  }
  fs::remove_all(decided, failed);
  return aside;
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
  if (const auto finished = finish_restore(state_dir); !finished) {
    return finished.error();
  }
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
  for (const char* const name : {"", kDatabase, kIdentity}) {
    give_to_owner(draft.folder / name, state_dir);
  }
  if (const auto synced = linux::sync_folder(draft.folder); !synced) {
    return synced.error();
  }
  fs::rename(draft.folder, state_dir / kDecided, failed);
  if (failed) {
    return Failure{"The box cannot be put into " + state_dir.string() + ": " + failed.message()};
  }
  if (const auto synced = linux::sync_folder(state_dir); !synced) {
    return synced.error();
  }
  const auto former = take_place(state_dir);
  if (!former) {
    return former.error();
  }
  restored->former = *former;
  return restored;
}

hearthcast::Result<bool, Failure> finish_restore(const fs::path& state_dir) {
  std::error_code unknown;
  if (!fs::exists(state_dir / kDecided, unknown)) {
    return false;
  }
  if (const auto former = take_place(state_dir); !former) {
    return former.error();
  }
  return true;
}

}  // namespace hearthcast::household
