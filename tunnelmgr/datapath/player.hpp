// One player's socket: writes what its stream has, as far as the socket takes it, and never waits. Data
// thread only.
#pragma once

#include <cstdint>
#include <optional>

#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/playout/ring.hpp"

namespace hearthcast::datapath {

enum class PlayerState : std::uint8_t {
  kReady,    // has everything that it may have now
  kBlocked,  // its socket is full: write again when it is writable
  kClosed,
  kTooSlow,  // what it needs next is gone, or it has read nothing for ten seconds
};

enum class PlayerEnd : std::uint8_t {
  kClosed,        // by the player
  kTooSlow,       // it did not read: dropped, not waited for
  kStreamClosed,  // its stream ended, or there was none
};

class Player {
 public:
  // Begins at `start` of the ring. `paced_at`: where the ring ended when it came; what it missed until there
  // then follows the live stream at no more than as much again, after a first piece with its picture.
  // Without, it gets everything at once.
  Player(linux::Fd socket, std::uint64_t start, std::optional<std::uint64_t> paced_at, Time now);

  [[nodiscard]] PlayerState write(const playout::Ring& ring, Time now);
  // The socket is readable: players send nothing, so this is the end, or noise.
  [[nodiscard]] PlayerState read();

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] PlayerState state() const { return state_; }
  [[nodiscard]] std::uint64_t bytes() const { return offset_ - start_; }

 private:
  [[nodiscard]] std::uint64_t limit(const playout::Ring& ring);

  linux::Fd socket_;
  std::uint64_t start_;
  std::uint64_t offset_;
  std::optional<std::uint64_t> paced_at_;  // until it has caught up
  Time last_progress_;
  PlayerState state_ = PlayerState::kReady;
};

}  // namespace hearthcast::datapath
