#include "tunnelmgr/linux/fd.hpp"

#include <unistd.h>

namespace hearthcast::linux {

void Fd::close() {
  if (number_ >= 0) {
    ::close(std::exchange(number_, -1));
  }
}

}  // namespace hearthcast::linux
