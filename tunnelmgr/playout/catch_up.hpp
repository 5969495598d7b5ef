// How a player that begins in the past catches up with a stream that goes on: paced by the stream itself, so
// that no clock is needed and a household's network is not flooded when a channel is opened.
//
// Offsets are those of ring.hpp.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hearthcast::playout {

// Sent at once: tables and a first picture, in high definition with room.
inline constexpr std::uint64_t kFirstPiece = std::uint64_t{256} << 10;

// Up to where a player may be sent that began at `start` when the stream was at `live`, and it is at `end`
// now: a first piece, then twice what came since.
[[nodiscard]] constexpr std::uint64_t catch_up_limit(std::uint64_t start, std::uint64_t live,
                                                     std::uint64_t end) {
  return std::min(end, start + kFirstPiece + 2 * (end - live));
}

}  // namespace hearthcast::playout
