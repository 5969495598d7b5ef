#include "tunnelmgr/runtime/privileges.hpp"

#include <spawn.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "tunnelmgr/linux/netd_protocol.hpp"
#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/linux/unix_message.hpp"

namespace hearthcast::runtime {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_helper(const fs::path& wished) {
  std::error_code error;
  const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& folder : {wished.empty() ? beside : wished, fs::path("/usr/libexec/hearthcast"),
                                 fs::path("/usr/libexec/hearthcast-away")}) {
    const fs::path helper = folder / "hearthcast-netd";
    if (::access(helper.c_str(), X_OK) == 0) {
      return helper;
    }
  }
  return std::nullopt;
}

// Its standard error is ours; its end of the pair becomes the descriptor it expects; everything else is
// close-on-exec. It ends when our end closes.
bool spawn(const fs::path& helper, int end, const char* option) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, end, linux::kNetdDescriptor);
  std::string name = helper.filename();
  std::string first = option == nullptr ? "" : option;
  const std::array<char*, 3> arguments = {name.data(), option == nullptr ? nullptr : first.data(), nullptr};
  const std::array<char*, 1> environment = {nullptr};
  pid_t process = 0;
  const int error =
      ::posix_spawn(&process, helper.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  return error == 0;
}

}  // namespace

Result<linux::NetdClient, Failure> start_helper_and_drop(const std::string& run_as, Log& log,
                                                         const fs::path& helper_folder,
                                                         const fs::path& netd_socket,
                                                         const char* helper_option) {
  if (!linux::is_root()) {
    return linux::NetdClient(linux::connect_message_socket(netd_socket), netd_socket);
  }
  if (run_as.empty()) {
    return linux::NetdClient();
  }
  linux::NetdClient client;
  auto [own, theirs] = linux::make_message_pair();
  const auto helper = find_helper(helper_folder);
  if (helper && spawn(*helper, theirs.get(), helper_option)) {
    client = linux::NetdClient(std::move(own));
  } else {
    log.warning("no_helper", {{"error", "hearthcast-netd is not beside this program; going on without it"}});
  }
  if (const auto dropped = linux::drop_to_user(run_as); !dropped) {
    return dropped.error();
  }
  log.info("dropped_privileges", {{"user", run_as}});
  return client;
}

}  // namespace hearthcast::runtime
