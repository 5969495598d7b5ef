// Ingest: one socket for one (source, group, port) on one interface. Joining needs no privilege.
//
// Joins before it binds, so that the first datagram after the join is not lost; binds to the group itself and
// takes part in no other membership of the host, so that it hears this channel only. Belongs to one thread.
#pragma once

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/receive_batch.hpp"

namespace hearthcast::linux {

struct MulticastOptions {
  FlowKey flow;                  // with a source: source-specific join (RFC 4607, RFC 3678)
  unsigned interface_index = 0;  // of the upstream interface; never 0: "any" is not an interface
  std::size_t receive_buffer =
      4 << 20;              // octets wished for; see netd_client.hpp for more than the kernel allows
  bool timestamps = false;  // the kernel notes when each datagram arrived
};

class MulticastSocket {
 public:
  [[nodiscard]] static Result<MulticastSocket, Failure> join(const MulticastOptions& options);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const MulticastOptions& options() const { return options_; }
  [[nodiscard]] std::size_t receive_buffer() const;  // octets the kernel really gives, its overhead included

  // Datagrams with source, traffic class and hop limit; the batch tells overflow(), too.
  [[nodiscard]] ReceiveBatch::Received receive(ReceiveBatch& batch) { return batch.receive(fd_.get()); }

  // Leaves and joins again, so that fresh reports go out (a switch that forgot us, a link that came back).
  // When the interface was made anew it has another index: join a new socket instead.
  [[nodiscard]] Result<void, Failure> rejoin();

 private:
  MulticastSocket(Fd fd, const MulticastOptions& options) : fd_(std::move(fd)), options_(options) {}

  Fd fd_;  // closing leaves the group
  MulticastOptions options_;
};

}  // namespace hearthcast::linux
