// Many datagrams in one system call: recvmmsg, with the super-packets of UDP_GRO split into their datagrams
// again.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::linux {

struct Datagram {
  Endpoint source;
  std::optional<IpAddress>
      destination;                 // our own unicast address it was sent to, when the socket asks for it
  Bytes payload;                   // into the batch; valid until the next receive() into it
  std::uint8_t traffic_class = 0;  // TOS or traffic class, when the socket asks for it
  std::uint8_t hop_limit = 0;      // TTL or hop limit, when the socket asks for it; 0: not known
  std::int64_t arrived_ns = 0;     // by the kernel, since 1970, when the socket asks for it
};

// The memory of one receiving thread; every socket of that thread can use it in turn. Allocates once, when
// made.
class ReceiveBatch {
 public:
  // messages: how many (super-)packets one call takes; each has room for 64 KiB.
  explicit ReceiveBatch(std::size_t messages = 16);
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;
  ~ReceiveBatch();

  // What waits at the socket now, never blocking; empty when nothing does. Datagrams that were cut short
  // (none can be longer than the room) are left out. error: 0, or the errno of a call that failed for another
  // reason than an empty queue; the socket goes on working after such an error (ICMP errors come this way).
  struct Received {
    std::span<const Datagram> datagrams;
    int error = 0;
    bool more = false;  // the batch is full: more may wait. Else asking again at once is a call in vain
  };
  [[nodiscard]] Received receive(int fd);

  // Whether the last receive() filled the batch, whatever socket it was for.
  [[nodiscard]] bool full() const { return full_; }

  // The kernel's own count of datagrams it dropped at that socket since it was made (SO_RXQ_OVFL), as of the
  // last receive() that carried it; nullopt when that call carried none.
  [[nodiscard]] std::optional<std::uint32_t> overflow() const { return overflow_; }

 private:
  struct Storage;
  void split(std::size_t message, std::size_t size);

  std::unique_ptr<Storage> storage_;
  std::vector<Datagram> datagrams_;
  std::optional<std::uint32_t> overflow_;
  bool full_ = false;
};

}  // namespace hearthcast::linux
