// hearthcast-netd: the small helper that keeps CAP_NET_ADMIN, so that the program which started it need not.
#include <linux/capability.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "tunnelmgr/linux/privileges.hpp"
#include "tunnelmgr/linux/unix_message.hpp"
#include "tunnelmgr/netd/service.hpp"

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
        "They start it themselves when they are started as root and drop to an ordinary user;\n"
        "it gives their sockets larger receive buffers, and ends with them. Not for use by hand.\n"
        "  --help, --version");
    return 0;
  }
  const auto client = linux::peer_user(linux::kNetdDescriptor);
  if (!argument.empty() || !client || *client != ::getuid()) {
    std::fputs(
        "hearthcast-netd: started by hand? Descriptor 3 has to be a socket of the same user. See --help.\n",
        stderr);
    return 2;
  }
  std::signal(SIGINT, SIG_IGN);  // a Ctrl-C is for the program; the helper ends with it
  if (const auto dropped = linux::keep_only_capability(CAP_NET_ADMIN); !dropped) {
    std::fprintf(stderr, "hearthcast-netd: %s\n", dropped.error().text.c_str());
    return 1;
  }
  return netd::serve(linux::kNetdDescriptor) ? 0 : 1;
}
