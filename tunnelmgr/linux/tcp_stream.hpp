// A TCP connection that this end opens: connecting, reading and writing never wait. One thread.
#pragma once

#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

class TcpStream {
 public:
  // Begins. It is connected once the descriptor is writable and error() is 0.
  [[nodiscard]] static Result<TcpStream, Failure> connect(const Endpoint& to);

  [[nodiscard]] int fd() const { return fd_.get(); }
  // errno of a connection that did not come about or broke; 0: none. Asking clears it.
  [[nodiscard]] int error() const;

  enum class State { kGoesOn, kWaits, kEnded };
  struct Moved {
    std::size_t size = 0;
    State state = State::kGoesOn;  // kWaits: nothing more now; kEnded: `error` says why, 0 for an orderly end
    int error = 0;
  };
  Moved read(MutableBytes room);
  Moved write(Bytes octets);

 private:
  explicit TcpStream(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace hearthcast::linux
