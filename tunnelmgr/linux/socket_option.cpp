#include "tunnelmgr/linux/socket_option.hpp"

#include <sys/socket.h>

namespace hearthcast::linux {

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

void reset_when_closed(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

std::optional<int> get_option(int fd, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(fd, level, name, &value, &size) != 0) {
    return std::nullopt;
  }
  return value;
}

}  // namespace hearthcast::linux
