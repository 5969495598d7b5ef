// Sends to one multicast group on one interface. Needs no privilege. Belongs to one thread.
#pragma once

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"

namespace hearthcast::linux {

struct SenderOptions {
  Endpoint group;
  unsigned interface_index = 0;     // never 0
  std::uint8_t hop_limit = 1;       // TTL; 1 stays on the link
  bool loop = true;                 // receivers on this machine hear it too
  std::optional<IpAddress> source;  // an address of that interface; nullopt: the kernel chooses
  std::size_t send_buffer = 4 << 20;
};

class MulticastSender {
 public:
  [[nodiscard]] static Result<MulticastSender, Failure> open(const SenderOptions& options);

  // Sends count datagrams of `size` octets that lie one after the other in slab, one system call for up
  // to 64. How many the kernel took; fewer when its queue is full. Errors like a link that is down count as
  // taken: they are lost, as they would be on the wire (last_error() says which).
  [[nodiscard]] std::size_t send(Bytes slab, std::size_t size, std::size_t count);
  [[nodiscard]] int last_error() const { return last_error_; }  // errno; 0: none so far
  // The address that the datagrams come from.
  [[nodiscard]] Endpoint own_endpoint() const;

 private:
  explicit MulticastSender(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
  int last_error_ = 0;
};

}  // namespace hearthcast::linux
