// Messages between a program and its privileged helper: what decodes must encode to the same octets.
#include <cstdlib>

#include "tunnelmgr/linux/netd_protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace hearthcast;
  const Bytes message(data, size);
  if (const auto request = linux::decode_netd_request(message)) {
    if (!equal(linux::encode(*request), message)) {
      std::abort();
    }
  }
  if (const auto reply = linux::decode_netd_reply(message)) {
    if (!equal(linux::encode(*reply), message)) {
      std::abort();
    }
  }
  return 0;
}
