// Where a box may be found: what decodes, encodes to what decodes alike.
#include "tunnelmgr/tunnel/reach.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto reach = tunnel::decode_reach({data, size});
  if (!reach) {
    return 0;
  }
  for (const auto& address : reach->addresses) {
    if (tunnel::ReachAddress::parse(address.to_string()) != address) {
      __builtin_trap();
    }
  }
  // Octets that are no UTF-8 get replacement characters, so the texts are compared from the second time on.
  const auto once = tunnel::decode_reach(tunnel::encode(*reach));
  if (!once || once->addresses != reach->addresses) {
    __builtin_trap();
  }
  return 0;
}
