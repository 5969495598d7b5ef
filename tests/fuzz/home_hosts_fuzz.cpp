// Where in the home network a device may go: what decodes must encode and decode alike.
#include "tunnelmgr/tunnel/home_hosts.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace hearthcast;
  const auto hosts = tunnel::decode_home_hosts({data, size});
  if (!hosts) {
    return 0;
  }
  if (hosts->size() > kMaxHomeHosts) {
    __builtin_trap();
  }
  for (const auto& host : *hosts) {
    if (!host.hosts.address.is_private() || HomeHost::parse(host.to_string()) != host) {
      __builtin_trap();
    }
  }
  const auto again = tunnel::decode_home_hosts(tunnel::encode_home_hosts(*hosts));
  if (!again || *again != *hosts) {
    __builtin_trap();
  }
  return 0;
}
