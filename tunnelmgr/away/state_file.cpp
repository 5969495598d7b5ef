#include "tunnelmgr/away/state_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

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

}  // namespace hearthcast::away
