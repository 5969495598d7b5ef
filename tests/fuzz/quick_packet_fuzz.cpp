// Quick control packets (NACK, prelude): what decodes must encode and decode alike.
#include <cstddef>
#include <cstdint>

#include "tunnelmgr/tunnel/quick_packet.hpp"

using namespace hearthcast;

namespace {

constexpr std::size_t kGreHeader = 4;

template <class Packet, class Decode>
void check(const Result<Packet>& decoded, Decode decode) {
  if (!decoded) {
    return;
  }
  tunnel::QuickRoom room;
  const auto again = decode(tunnel::encode(*decoded, room).subspan(kGreHeader));
  if (!again || !(*again == *decoded)) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto kind = tunnel::quick_kind(input);
  const auto nack = tunnel::decode_nack(input);
  const auto prelude = tunnel::decode_prelude(input);
  if ((nack && kind != tunnel::QuickKind::kNack) || (prelude && kind != tunnel::QuickKind::kPrelude)) {
    __builtin_trap();
  }
  check(nack, tunnel::decode_nack);
  check(prelude, tunnel::decode_prelude);
  return 0;
}
