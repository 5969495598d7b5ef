// AYIYA: a decoded packet encodes to the octets that it came from.
#include "tunnelmgr/wire/ayiya.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = wire::decode_ayiya({data, size});
  if (packet && !equal(wire::encode_ayiya(*packet), Bytes(data, size))) {
    __builtin_trap();
  }
  return 0;
}
