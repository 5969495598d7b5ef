// MLD and IGMP in IP: what decodes must encode and decode alike.
#include "tunnelmgr/wire/igmp.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"
#include "tunnelmgr/wire/mld.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  if (const auto packet = wire::decode_membership_packet(input)) {
    const auto again = wire::decode_membership_packet(wire::encode_membership_packet(*packet));
    if (!again || !(again->message == packet->message)) {
      __builtin_trap();
    }
  }
  if (size > 1) {  // behind the checksum that stops a fuzzer
    const auto message = wire::decode_mld({data[0], 0, input.subspan(1)});
    if (message) {
      const auto encoded = wire::encode_mld(*message);
      const auto again = wire::decode_mld({encoded.type, 0, encoded.body});
      if (!again || !(*again == *message)) {
        __builtin_trap();
      }
    }
  }
  return 0;
}
