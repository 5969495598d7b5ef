// Text frames of the rendezvous: what decodes must encode and decode alike.
#include "tunnelmgr/signalling/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hearthcast;
  if (const auto message = signalling::decode_message(as_text({data, size}))) {
    const auto again = signalling::decode_message(signalling::encode(*message));
    if (!again || !(*again == *message)) {
      __builtin_trap();
    }
  }
  return 0;
}
