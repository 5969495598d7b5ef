#include "tunnelmgr/linux/socket_option.hpp"

#include <sys/socket.h>

namespace hearthcast::linux {

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
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
