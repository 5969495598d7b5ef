// Messages of a TURN client and its relay on a stream (TCP, TLS), one after the other: STUN messages tell
// their length, and ChannelData is padded to a multiple of four octets, which its length does not count (RFC
// 8656 section 12.5). Whatever begins otherwise ends the conversation: borders are lost for good.
#pragma once

#include <optional>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::wire {

class TurnStreamReader {
 public:
  // Octets as they came, in pieces of any size.
  void put(Bytes octets);
  // The next whole message, without padding; nullopt when the rest of it is still to come. Valid until the
  // next put().
  [[nodiscard]] std::optional<Bytes> next();
  // What came is no TURN. Nothing is read from then on.
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  Buffer octets_;
  std::size_t begin_ = 0;  // of what was not handed out
  bool broken_ = false;
};

// How many octets of zero follow a message of this size on a stream. STUN needs none.
[[nodiscard]] constexpr std::size_t turn_padding(std::size_t size) { return (4 - size % 4) % 4; }

}  // namespace hearthcast::wire
