// What comes out of the kernel's multicast routing sockets: the first octet says the family, the rest is
// read.
#include <cstdlib>

#include "tunnelmgr/linux/route_upcall.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace hearthcast;
  if (size == 0) {
    return 0;
  }
  const Family family = data[0] % 2 == 0 ? Family::kIp4 : Family::kIp6;
  const auto upcall = linux::decode_route_upcall(family, Bytes(data + 1, size - 1));
  if (upcall && (upcall->group.family() != family || upcall->source.family() != family ||
                 !upcall->group.is_multicast() || upcall->place > 0xFFFF)) {
    std::abort();
  }
  return 0;
}
