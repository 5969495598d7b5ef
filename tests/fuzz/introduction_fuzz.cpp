// Payloads of introductions: what decodes must encode and decode alike, and only usable candidates are
// probed.
#include "tunnelmgr/signalling/introduction.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hearthcast;
  if (const auto introduction = signalling::decode_introduction({data, size})) {
    const auto again = signalling::decode_introduction(signalling::encode_introduction(*introduction));
    if (!again || !(*again == *introduction)) {
      __builtin_trap();
    }
    for (const auto& candidate : signalling::usable_candidates(introduction->candidates)) {
      if (candidate.endpoint.address.is_loopback() || candidate.endpoint.address.is_multicast()) {
        __builtin_trap();
      }
    }
  }
  return 0;
}
