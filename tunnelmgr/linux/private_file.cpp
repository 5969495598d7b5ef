#include "tunnelmgr/linux/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {
namespace {

bool write_all(int fd, Bytes octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(fd, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

Result<void, Failure> write_new(const std::filesystem::path& file, Bytes octets) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) {
    return kernel_failure("writing " + file.string(), errno);
  }
  if (!write_all(fd.get(), octets)) {
    const int error = errno;
    ::unlink(file.c_str());
    return kernel_failure("writing " + file.string(), error);
  }
  return {};
}

}  // namespace

Result<void, Failure> write_private_file(const std::filesystem::path& file, Bytes octets, IfThere there) {
  struct stat status {};
  if (there == IfThere::kReplace && ::lstat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return Failure{file.string() + " is no ordinary file; name another"};
  }
  auto draft = file;
  if (there == IfThere::kReplace) {
    draft += ".new";
    ::unlink(draft.c_str());  // of a run that was cut off
  }
  if (auto written = write_new(draft, octets); !written) {
    return written;
  }
  if (there == IfThere::kReplace && ::rename(draft.c_str(), file.c_str()) != 0) {
    const int error = errno;
    ::unlink(draft.c_str());
    return kernel_failure("replacing " + file.string(), error);
  }
  // Where that is impossible the file is as good as any other there.
  static_cast<void>(sync_folder(file.has_parent_path() ? file.parent_path() : "."));
  return {};
}

Result<void, Failure> sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return kernel_failure("syncing " + folder.string(), errno);
  }
  return {};
}

}  // namespace hearthcast::linux
