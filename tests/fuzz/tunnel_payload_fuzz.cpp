// What stands between a tunnel and an IP packet: GUE, the inner IP header, the option of 6rd.
#include "tunnelmgr/wire/derived_address.hpp"
#include "tunnelmgr/wire/gue.hpp"
#include "tunnelmgr/wire/inner_ip.hpp"

using namespace hearthcast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  if (const auto gue = wire::decode_gue(input)) {
    const Buffer encoded = wire::encode_gue(*gue);
    const auto again = wire::decode_gue(encoded);
    if (!again || again->protocol != gue->protocol || !equal(again->payload, gue->payload)) {
      __builtin_trap();
    }
  }
  if (const auto inner = wire::check_inner_ip(input)) {
    (void)wire::is_credible_inner_source(inner->source);
    if (inner->source.family() != inner->destination.family()) {
      __builtin_trap();
    }
  }
  const auto own = IpAddress::ip4(0x0A010203);
  if (const auto domain = wire::decode_sixrd_option(input, own)) {
    const Prefix mine = domain->delegated(own);
    if (domain->endpoint(mine.address) != own || wire::encode_sixrd_option(*domain).size() != size) {
      __builtin_trap();
    }
  }
  return 0;
}
