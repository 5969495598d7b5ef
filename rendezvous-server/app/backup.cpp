#include "rendezvous-server/app/backup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "rendezvous-server/app/ask.hpp"
#include "rendezvous-server/store/store.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/folder_lock.hpp"
#include "tunnelmgr/linux/private_file.hpp"
#include "tunnelmgr/secure/identity.hpp"

namespace hearthcast::rendezvous {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDatabase = "rendezvous.db";
constexpr const char* kKey = "rendezvous.key";
constexpr const char* kNothing = "; nothing was restored";

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

// Renames in one folder that are taken back, the last first, unless they are kept.
class Renames {
 public:
  Renames() = default;
  Renames(const Renames&) = delete;
  Renames& operator=(const Renames&) = delete;
  ~Renames() { (void)take_back(); }

  // False when it failed; `why` says it.
  bool rename(const fs::path& from, const fs::path& to, std::error_code& why) {
    fs::rename(from, to, why);
    if (!why) {
      done_.emplace_back(from, to);
    }
    return !why;
  }
  void keep() { done_.clear(); }
  // The first that could not be taken back: what was at `first` is at `second`.
  std::optional<std::pair<fs::path, fs::path>> take_back() {
    std::optional<std::pair<fs::path, fs::path>> left;
    std::error_code why;
    for (; !done_.empty(); done_.pop_back()) {
      fs::rename(done_.back().second, done_.back().first, why);
      if (why && !left) {
        left = done_.back();
      }
    }
    return left;
  }

 private:
  std::vector<std::pair<fs::path, fs::path>> done_;
};

// A checked copy that waits in the state folder; it goes unless it was put in place.
struct Draft {
  explicit Draft(const fs::path& target) : place(target), file(fs::path(target).concat(".restoring")) {
    remove();
  }
  ~Draft() { remove(); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  void remove() const {
    std::error_code ignored;
    for (const char* suffix : {"", "-wal", "-shm"}) {  // SQLite may have written beside it
      fs::remove(fs::path(file).concat(suffix), ignored);
    }
  }
  fs::path place;
  fs::path file;
};

// It belongs to whom the folder belongs to: a restore as root must not lock the program out.
Result<void, Failure> give_to_owner_of(const fs::path& folder, const fs::path& file) {
  struct stat owner {};
  if (::stat(folder.c_str(), &owner) == 0 && ::chown(file.c_str(), owner.st_uid, owner.st_gid) != 0 &&
      errno != EPERM) {
    return failed("give away", file, errno);
  }
  return boost::system::in_place_value;
}

bool put(const Draft& draft, Renames& renames, std::error_code& why) {
  for (const char* suffix : {"-wal", "-shm", ""}) {  // those of the database that is replaced go with it
    const fs::path former = fs::path(draft.place).concat(suffix);
    const fs::path aside = fs::path(draft.place).concat(".before-restore").concat(suffix);
    std::error_code unknown;
    if (fs::exists(former, unknown) && !renames.rename(former, aside, why)) {
      return false;
    }
  }
  return renames.rename(draft.file, draft.place, why);
}

// All of them, or none.
Result<void, Failure> put_in_place(const std::vector<const Draft*>& drafts, const fs::path& folder) {
  Renames renames;
  std::error_code why;
  for (const Draft* draft : drafts) {
    if (!put(*draft, renames, why)) {
      Failure failure{"cannot put " + draft->place.string() + " in place: " + why.message()};
      const auto left = renames.take_back();
      failure.text += left ? "; what was " + left->first.string() + " is " + left->second.string() + " now"
                           : std::string(kNothing);
      return failure;
    }
  }
  renames.keep();
  return linux::sync_folder(folder);
}

// Checked where SQLite may write beside it, never in the backup itself.
Result<void, Failure> bring(const AppSettings& settings, const fs::path& folder) {
  const Draft database(settings.state_dir / kDatabase);
  const Draft key(settings.state_dir / kKey);
  std::vector<const Draft*> drafts{&database};
  auto done = copy_whole(folder / kDatabase, database.file);
  done = done ? check_database(database.file) : done;
  std::error_code unknown;
  if (done && fs::exists(folder / kKey, unknown)) {
    drafts.push_back(&key);
    const auto identity = secure::load_or_make_identity(folder / kKey);  // it exists: it is only read
    done = identity ? copy_whole(folder / kKey, key.file) : identity.error();
  }
  for (const Draft* draft : drafts) {
    done = done ? give_to_owner_of(settings.state_dir, draft->file) : done;
  }
  return done ? put_in_place(drafts, settings.state_dir) : Failure{done.error().text + kNothing};
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
    return tell(done.error());
  }
  std::printf(
      "Restored. What was there before stands beside it as NAME.before-restore. Start the rendezvous.\n");
  return runtime::kFine;
}

}  // namespace hearthcast::rendezvous
