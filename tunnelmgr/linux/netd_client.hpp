// What a program asks of its privileged helper. Without one the program works on with what the machine allows
// it.
#pragma once

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

// One thread. Every call waits for the helper's answer, a few microseconds, at most a second.
class NetdClient {
 public:
  NetdClient() = default;          // no helper
  explicit NetdClient(Fd socket);  // connected to a helper

  // Gives the UDP socket a receive buffer for octets of packets: by the ordinary way if that is enough, by
  // own privilege, or by the helper. The Failure says what to set on the machine; the socket works all the
  // same.
  [[nodiscard]] Result<void, Failure> raise_receive_buffer(int socket, std::size_t octets);

  [[nodiscard]] bool has_helper() const { return static_cast<bool>(socket_); }

 private:
  [[nodiscard]] bool ask_helper(int socket, std::size_t octets);
  Fd socket_;
};

}  // namespace hearthcast::linux
