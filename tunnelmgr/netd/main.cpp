// hearthcast-netd: the small helper that keeps CAP_NET_ADMIN and CAP_NET_RAW, so that the programs need none.
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "tunnelmgr/linux/netd_protocol.hpp"
#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/linux/tun_interface.hpp"
#include "tunnelmgr/linux/unix_message.hpp"
#include "tunnelmgr/netd/service.hpp"

namespace {

// sd_listen_fds(3): the service manager accepted the connection, by the permissions of its socket.
bool accepted_by_service_manager() {
  const char* const process = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  return process != nullptr && count != nullptr && process == std::to_string(::getpid()) &&
         std::string_view(count) == "1";
}

// Where only root may open it, before root is given up; elsewhere not until it is asked for, since opening
// loads the kernel's module.
hearthcast::linux::Fd early_tun_node() {
  using hearthcast::linux::kTunNode;
  struct stat node {};
  constexpr mode_t kForAll = S_IROTH | S_IWOTH;
  const bool early = ::stat(kTunNode, &node) == 0 && (node.st_mode & kForAll) != kForAll;
  return hearthcast::linux::Fd(early ? ::open(kTunNode, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace hearthcast;
  const std::string_view argument = argc > 1 ? argv[1] : "";
  if (argument == "--version") {
    std::puts("hearthcast-netd " HEARTHCAST_VERSION);
    return 0;
  }
  if (argument == "--help") {
    std::puts(
        "hearthcast-netd: the privileged helper of hearthcast-box and hearthcast-away.\n"
        "They start it themselves when they are started as root and drop to an ordinary user; under a\n"
        "service manager they reach it through hearthcast-netd.socket. It gives their sockets larger "
        "receive\n"
        "buffers, opens packet and multicast routing sockets for them, adds multicast rules, makes a TUN\n"
        "interface, sets a few network settings, and ends with them. Not for use by hand.\n"
        "  --tun            only what hearthcast-away needs: TUN interfaces, and its own receive buffer\n"
        "  --help, --version");
    return 0;
  }
  const auto client = linux::peer_user(linux::kNetdDescriptor);
  const bool only_tun = argument == "--tun";
  if ((!argument.empty() && !only_tun) || !client ||
      (*client != ::getuid() && !accepted_by_service_manager())) {
    std::fputs(
        "hearthcast-netd: started by hand? Descriptor 3 has to be a socket of the same user. See --help.\n",
        stderr);
    return 2;
  }
  std::signal(SIGINT, SIG_IGN);  // a Ctrl-C is for the program; the helper ends with it
  linux::Fd tun_node = early_tun_node();
  const auto dropped = only_tun ? linux::keep_only_capabilities({CAP_NET_ADMIN})
                                : linux::keep_only_capabilities({CAP_NET_ADMIN, CAP_NET_RAW});
  if (!dropped) {
    std::fprintf(stderr, "hearthcast-netd: %s\n", dropped.error().text.c_str());
    return 1;
  }
  const auto duty = only_tun ? netd::Duty::kTun : netd::Duty::kAll;
  return netd::serve(linux::kNetdDescriptor, std::move(tun_node), duty) ? 0 : 1;
}
