// Messages on a stream: however the octets are cut into pieces, the same messages come out, each as long as
// it says.
#include <algorithm>
#include <vector>

#include "tunnelmgr/wire/turn_stream.hpp"

using namespace hearthcast;

namespace {

std::vector<Buffer> messages(Bytes stream, std::size_t piece) {
  wire::TurnStreamReader reader;
  std::vector<Buffer> found;
  while (!stream.empty()) {
    const Bytes part = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(part.size());
    reader.put(part);
    while (const auto message = reader.next()) {
      found.emplace_back(message->begin(), message->end());
    }
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const Bytes stream(data + 1, size - 1);
  const auto whole = messages(stream, std::max<std::size_t>(stream.size(), 1));
  if (whole != messages(stream, std::size_t{1} + data[0])) {
    __builtin_trap();
  }
  return 0;
}
