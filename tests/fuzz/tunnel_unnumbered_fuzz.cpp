// Opened records of a session without numbers: what decodes must decode to views inside the input, and only
// what begins like it is taken.
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/tunnel/unnumbered_receiver.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto form : {tunnel::Form::kGre, tunnel::Form::kSixInFour, tunnel::Form::kAyiya}) {
    tunnel::UnnumberedReceiver receiver;
    receiver.expect(form);
    const auto media = receiver.on_record({data, size});
    if (!media) {
      continue;
    }
    if (form == tunnel::Form::kGre || (form == tunnel::Form::kAyiya) != (data[0] == 0x41) ||
        media->payload.data() < data || media->payload.data() + media->payload.size() > data + size ||
        !media->header.destination.address.is_multicast()) {
      __builtin_trap();
    }
  }
  return 0;
}
