#include "tunnelmgr/linux/process_limits.hpp"

#include <malloc.h>
#include <sys/resource.h>

namespace hearthcast::linux {

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return static_cast<std::size_t>(::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before);
}

void return_large_blocks() {
  constexpr int kLarge = 128 << 10;  // octets; giving a value at all ends its growth
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
  ::mallopt(M_TRIM_THRESHOLD, kLarge);
}

}  // namespace hearthcast::linux
