#include "tunnelmgr/linux/privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "tunnelmgr/linux/failure.hpp"

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
  if (::mkdir(folder.c_str(), 0700) == 0) {
    if (user.empty()) {
      return boost::system::in_place_value;
    }
  } else if (errno != EEXIST) {
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
  // What an earlier run as root left in it is given away, too; links are not followed.
  std::vector<std::filesystem::path> all = {folder};
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    all.push_back(at->path());
  }
  for (const std::filesystem::path& each : all) {
    if (::lchown(each.c_str(), owner->user, owner->group) != 0) {
      return kernel_failure("giving " + each.string() + " to the user " + user, errno);
    }
  }
  return boost::system::in_place_value;
}

}  // namespace hearthcast::linux
