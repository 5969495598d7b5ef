#include "tunnelmgr/linux/privileges.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "tunnelmgr/linux/failure.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {
namespace {

struct User {
  uid_t user = 0;
  gid_t group = 0;
};

Result<User, Failure> find_user(const std::string& name) {
  std::vector<char> room(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return Failure{"there is no user " + name + "; create it or change run_as in the settings"};
  }
  return User{entry.pw_uid, entry.pw_gid};
}

Result<void, Failure> forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return kernel_failure("forbidding new privileges", errno);
  }
  return boost::system::in_place_value;
}

Result<void, Failure> become(const std::string& name) {
  const auto user = find_user(name);
  if (!user) {
    return user.error();
  }
  if (::initgroups(name.c_str(), user->group) != 0 ||
      ::setresgid(user->group, user->group, user->group) != 0 ||
      ::setresuid(user->user, user->user, user->user) != 0) {
    return kernel_failure("becoming the user " + name, errno);
  }
  return boost::system::in_place_value;
}

bool set_capabilities(std::uint64_t set) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  data[0].effective = data[0].permitted = static_cast<std::uint32_t>(set);
  data[1].effective = data[1].permitted = static_cast<std::uint32_t>(set >> 32);
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// The folder with all that is in it, itself at last. By descriptors, and no link is followed: nobody can put
// another file in the place of one that was looked at. An errno, 0 for done.
int give_away(Fd folder, const User& to) {
  const int fd = folder.get();
  const std::unique_ptr<DIR, CloseFolder> entries(::fdopendir(fd));
  if (!entries) {
    return errno;
  }
  static_cast<void>(folder.release());
  for (const dirent* entry = ::readdir(entries.get()); entry != nullptr; entry = ::readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") {
      continue;
    }
    if (Fd below(::openat(fd, entry->d_name, kFolder)); below) {
      if (const int error = give_away(std::move(below), to); error != 0) {
        return error;
      }
    } else if (::fchownat(fd, entry->d_name, to.user, to.group, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno;
    }
  }
  return ::fchown(fd, to.user, to.group) == 0 ? 0 : errno;
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

Result<void, Failure> drop_to_user(const std::string& name) {
  if (auto changed = become(name); !changed) {
    return changed;
  }
  if (::getuid() != 0 && ::setuid(0) == 0) {
    return Failure{"could not give up root"};
  }
  return forbid_new_privileges();
}

Result<void, Failure> keep_only_capabilities(std::initializer_list<unsigned> capabilities,
                                             const std::string& name) {
  std::uint64_t set = 0;
  for (const unsigned capability : capabilities) {
    set |= std::uint64_t{1} << capability;
  }
  if (is_root()) {
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
      return kernel_failure("keeping capabilities", errno);
    }
    if (auto changed = become(name); !changed) {
      return changed;
    }
  }
  if (!set_capabilities(set)) {
    return kernel_failure("giving up all capabilities but what is needed", errno);
  }
  return forbid_new_privileges();
}

Result<void, Failure> prepare_folder(const std::filesystem::path& folder, const std::string& user) {
  std::error_code error;
  if (folder.has_parent_path()) {
    std::filesystem::create_directories(folder.parent_path(), error);
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return kernel_failure("making the folder " + folder.string(), errno);
  }
  if (!std::filesystem::is_directory(folder, error)) {
    return Failure{folder.string() + " is not a folder; move it away or choose another in the settings"};
  }
  if (user.empty()) {
    return boost::system::in_place_value;
  }
  const auto owner = find_user(user);
  if (!owner) {
    return owner.error();
  }
  Fd opened(::open(folder.c_str(), kFolder));
  if (!opened) {
    return errno == ELOOP || errno == ENOTDIR
               ? Failure{folder.string() + " is a link; name the folder itself in the settings"}
               : kernel_failure("opening the folder " + folder.string(), errno);
  }
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) {
    return kernel_failure("looking at the folder " + folder.string(), errno);
  }
  if (status.st_uid == owner->user) {
    return boost::system::in_place_value;
  }
  if (const int failed = give_away(std::move(opened), *owner); failed != 0) {
    return kernel_failure("giving " + folder.string() + " to the user " + user, failed);
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::linux
