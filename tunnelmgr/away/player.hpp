// One player's socket: writes what its stream has, as far as the socket takes it, and never waits.
#pragma once

#include <cstdint>

#include "tunnelmgr/away/messages.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/playout/ring.hpp"

namespace hearthcast::away {

enum class PlayerState : std::uint8_t {
  kReady,    // has everything
  kBlocked,  // its socket is full: write again when it is writable
  kClosed,
  kTooSlow,  // what it needs next is gone, or it has read nothing for ten seconds
};

class Player {
 public:
  Player(PlayerId id, linux::Fd socket, std::uint64_t start, Time now);

  [[nodiscard]] PlayerState write(const playout::Ring& ring, Time now);
  // The socket is readable: players send nothing, so this is the end, or noise.
  [[nodiscard]] PlayerState read();

  [[nodiscard]] PlayerId id() const { return id_; }
  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] PlayerState state() const { return state_; }
  [[nodiscard]] std::uint64_t bytes() const { return offset_ - start_; }

 private:
  PlayerId id_;
  linux::Fd socket_;
  std::uint64_t start_;
  std::uint64_t offset_;
  Time last_progress_;
  PlayerState state_ = PlayerState::kReady;
};

}  // namespace hearthcast::away
