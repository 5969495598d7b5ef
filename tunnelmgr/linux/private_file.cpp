#include "tunnelmgr/linux/private_file.hpp"

#include <fcntl.h>
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

}  // namespace

Result<void, Failure> write_private_file(const std::filesystem::path& file, Bytes octets, IfThere there) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
  const Fd fd(::open(file.c_str(), flags | (there == IfThere::kReplace ? O_TRUNC : O_EXCL), 0600));
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

Result<void, Failure> sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return kernel_failure("syncing " + folder.string(), errno);
  }
  return {};
}

}  // namespace hearthcast::linux
