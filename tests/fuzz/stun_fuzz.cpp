// STUN: a decoded message encodes to one that decodes alike, but for the flags that only decoding sets.
#include "tunnelmgr/wire/demux.hpp"
#include "tunnelmgr/wire/stun.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  (void)wire::classify(input);
  auto message = wire::decode_stun(input);
  if (!message) {
    return 0;
  }
  message->has_integrity = false;
  message->has_integrity_sha256 = false;
  message->has_fingerprint = true;
  message->not_understood.clear();
  const auto again = wire::decode_stun(wire::encode_stun(*message));
  if (!again || !(*again == *message)) {
    __builtin_trap();
  }
  return 0;
}
