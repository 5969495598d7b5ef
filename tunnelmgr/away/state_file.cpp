#include "tunnelmgr/away/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/private_file.hpp"

namespace hearthcast::away {
namespace {

constexpr std::size_t kMaxSize = std::size_t{16} << 20;

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
  if (auto written = linux::write_private_file(temporary, as_bytes(text), linux::IfThere::kReplace);
      !written) {
    return written;
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
