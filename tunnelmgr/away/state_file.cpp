#include "tunnelmgr/away/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::away {
namespace {

constexpr std::size_t kMaxSize = std::size_t{16} << 20;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

}  // namespace

Result<std::optional<std::string>, Failure> read_state_file(const std::filesystem::path& file) {
  const linux::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) {
      return std::optional<std::string>();
    }
    return linux::kernel_failure("opening " + file.string(), errno);
  }
  std::string text;
  std::array<char, 65536> part;
  for (;;) {
    const auto size = ::read(fd.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return linux::kernel_failure("reading " + file.string(), errno);
    }
    if (size == 0) {
      return std::optional(std::move(text));
    }
    text.append(part.data(), static_cast<std::size_t>(size));
    if (text.size() > kMaxSize) {
      return Failure{file.string() + " is too large to be a file of this program"};
    }
  }
}

Result<void, Failure> write_state_file(const std::filesystem::path& file, std::string_view text) {
  auto temporary = file;
  temporary += ".new";
  {
    const linux::Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd || !write_all(fd.get(), text)) {
      const int error = errno;
      ::unlink(temporary.c_str());
      return linux::kernel_failure("writing " + temporary.string(), error);
    }
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) {
    return linux::kernel_failure("replacing " + file.string(), errno);
  }
  const linux::Fd folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) {
    ::fsync(folder.get());  // so that a power cut does not bring the former file back
  }
  return {};
}

}  // namespace hearthcast::away
