// What anybody may send first to a TLS port: whatever it is, it is read the same in one piece and in many.
#include <algorithm>

#include "tunnelmgr/secure/client_hello.hpp"

using namespace hearthcast;

namespace {

std::pair<secure::ClientHello::State, bool> read(Bytes stream, std::size_t piece) {
  secure::ClientHello hello;
  while (!stream.empty()) {
    const Bytes part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    hello.put(part);
  }
  return {hello.state(), hello.offers("stun.turn")};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const Bytes stream(data + 1, size - 1);
  if (read(stream, std::max<std::size_t>(stream.size(), 1)) != read(stream, std::size_t{1} + data[0])) {
    __builtin_trap();
  }
  return 0;
}
