#include "rendezvous-server/app/backup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "rendezvous-server/app/ask.hpp"
#include "rendezvous-server/store/store.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/folder_lock.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::rendezvous {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabase = "rendezvous.db";
constexpr const char* kKey = "rendezvous.key";

Failure failed(const std::string& what, const fs::path& file, int error) {
  return Failure{"cannot " + what + " " + file.string() + ": " + std::strerror(error)};
}

// Whole and on the disk, or not there. mode 0600.
Result<void, Failure> copy_whole(const fs::path& from, const fs::path& to) {
  const linux::Fd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) {
    return failed("read", from, errno);
  }
  const linux::Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) {
    return failed("write", to, errno);
  }
  std::array<char, 65536> block{};
  ssize_t got = 0;
  while ((got = ::read(in.get(), block.data(), block.size())) > 0) {
    for (ssize_t written = 0; written < got;) {
      const ssize_t some =
          ::write(out.get(), block.data() + written, static_cast<std::size_t>(got - written));
      if (some < 0) {
        const auto why = failed("write", to, errno);
        ::unlink(to.c_str());
        return why;
      }
      written += some;
    }
  }
  if (got < 0 || ::fsync(out.get()) != 0) {
    const auto why = failed(got < 0 ? "read" : "write", got < 0 ? from : to, errno);
    ::unlink(to.c_str());
    return why;
  }
  return boost::system::in_place_value;
}

int tell(const Failure& failure, int code = runtime::kFailed) {
  std::fprintf(stderr, "hearthcast-rendezvous: %s\n", failure.text.c_str());
  return code;
}

// Checked where SQLite may write beside it, never in the backup itself.
Result<void, Failure> bring(const AppSettings& settings, const fs::path& folder) {
  const fs::path draft = settings.state_dir / "rendezvous.db.restoring";
  std::error_code ignored;
  fs::remove(draft, ignored);
  if (auto copied = copy_whole(folder / kDatabase, draft); !copied) {
    return copied;
  }
  auto checked = check_database(draft);
  for (const char* suffix : {"-wal", "-shm"}) {
    fs::remove(fs::path(draft).concat(suffix), ignored);
  }
  const bool with_key = fs::exists(folder / kKey, ignored);
  if (checked && with_key) {
    const auto identity = secure::load_or_make_identity(folder / kKey);  // it exists: it is only read
    checked = identity ? Result<void, Failure>(boost::system::in_place_value) : identity.error();
  }
  if (!checked) {
    fs::remove(draft, ignored);
    return checked;
  }
  // It belongs to whom the folder belongs to: a restore as root must not lock the program out.
  struct stat owner {};
  const bool known = ::stat(settings.state_dir.c_str(), &owner) == 0;
  const auto put = [&](const fs::path& from, const fs::path& to) -> Result<void, Failure> {
    std::error_code error;
    if (fs::exists(to, error)) {
      fs::rename(to, fs::path(to).concat(".before-restore"), error);
    }
    if (!error && known && ::chown(from.c_str(), owner.st_uid, owner.st_gid) != 0 && errno != EPERM) {
      error = {errno, std::system_category()};
    }
    if (!error) {
      fs::rename(from, to, error);
    }
    return error
               ? Result<void, Failure>(Failure{"cannot put " + to.string() + " in place: " + error.message()})
               : Result<void, Failure>(boost::system::in_place_value);
  };
  const fs::path key_draft = settings.state_dir / "rendezvous.key.restoring";
  fs::remove(key_draft, ignored);
  if (with_key) {  // before anything is put in place
    if (auto copied = copy_whole(folder / kKey, key_draft); !copied) {
      fs::remove(draft, ignored);
      return copied;
    }
  }
  const fs::path database = settings.state_dir / kDatabase;
  for (const char* suffix : {"-wal", "-shm"}) {  // of the one that is replaced: they go with it
    const fs::path beside = fs::path(database).concat(suffix);
    if (fs::exists(beside, ignored)) {
      fs::rename(beside, fs::path(database).concat(".before-restore").concat(suffix), ignored);
    }
  }
  auto done = put(draft, database);
  if (done && with_key) {
    done = put(key_draft, settings.state_dir / kKey);
  }
  return done;
}

}  // namespace

int back_up(const AppSettings& settings, const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return tell(Failure{folder.string() + " is not empty; name a new folder"}, runtime::kWrongUsage);
  }
  nlohmann::json answer;
  if (const int code = ask(settings, "POST", "/backup", {}, answer); code != runtime::kFine) {
    return code;
  }
  fs::create_directories(folder, error);
  if (error || ::chmod(folder.c_str(), 0700) != 0) {
    return tell(Failure{"cannot make the folder " + folder.string()});
  }
  auto done = copy_whole(answer.value("file", ""), folder / kDatabase);
  const fs::path key = settings.state_dir / kKey;
  const bool with_key = fs::exists(key, error);
  if (done && with_key) {
    done = copy_whole(key, folder / kKey);
  }
  if (!done) {
    return tell(done.error());
  }
  std::printf("%s holds the database%s. Keep it where nobody else can read it.\n", folder.c_str(),
              with_key ? " and the server's key" : "");
  return runtime::kFine;
}

int restore(const AppSettings& settings, const fs::path& folder) {
  const auto lock = linux::FolderLock::take(settings.state_dir);
  if (!lock) {
    return tell(Failure{lock.error().text + "; stop it before restoring"}, runtime::kRefused);
  }
  if (const auto done = bring(settings, folder); !done) {
    return tell(Failure{done.error().text + "; nothing was restored"});
  }
  std::printf(
      "Restored. What was there before stands beside it as NAME.before-restore. Start the rendezvous.\n");
  return runtime::kFine;
}

}  // namespace hearthcast::rendezvous
