#include "tunnelmgr/linux/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"

namespace hearthcast::linux {

Result<FolderLock, Failure> FolderLock::take(const std::filesystem::path& folder) {
  Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    return kernel_failure("open " + folder.string(), errno);
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? Failure{"another instance is running and uses " + folder.string()}
                                : kernel_failure("lock " + folder.string(), errno);
  }
  return FolderLock(std::move(fd));
}

}  // namespace hearthcast::linux
