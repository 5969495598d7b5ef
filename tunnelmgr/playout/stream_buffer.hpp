// One channel as it arrives: the last megabytes of its transport stream for any number of players, and where
// a new player begins. Players are offsets: see ring.hpp. Not thread-safe; on_datagram() does not allocate.
#pragma once

#include <cstdint>

#include "tunnelmgr/playout/ring.hpp"
#include "tunnelmgr/playout/start_point.hpp"
#include "tunnelmgr/wire/ts_continuity.hpp"

namespace hearthcast::playout {

inline constexpr std::size_t kStreamCapacity = std::size_t{8} << 20;  // eight seconds of 8 Mbit/s

class StreamBuffer {
 public:
  explicit StreamBuffer(std::size_t capacity = kStreamCapacity) : ring_(capacity) {}

  // The provider's datagram, with or without an RTP header.
  void on_datagram(Bytes datagram);

  // Where a player that comes now begins. The first of all gets everything from the first octet.
  [[nodiscard]] std::uint64_t start() const;
  [[nodiscard]] const Ring& ring() const { return ring_; }

  [[nodiscard]] std::uint64_t continuity_errors() const { return continuity_.errors(); }
  [[nodiscard]] bool rtp() const { return rtp_; }

 private:
  Ring ring_;
  StartPoint start_point_;
  wire::TsContinuity continuity_;
  bool rtp_ = false;
};

}  // namespace hearthcast::playout
