// A UDP port on one link only: hears what comes in there, either by unicast or for one group, with its hop
// limit, and answers with the largest one, so that neighbours can be told (RFC 5082). Needs no privilege for
// ports from 1024 on. Belongs to one thread.
#pragma once

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/receive_batch.hpp"

namespace hearthcast::linux {

struct LinkUdpOptions {
  unsigned interface_index = 0;
  Family family = Family::kIp4;
  std::uint16_t port = 0;
  std::optional<IpAddress> group;  // joined on that link, and heard alone
};

class LinkUdpSocket {
 public:
  static constexpr int kHopLimit = 255;

  [[nodiscard]] static Result<LinkUdpSocket, Failure> open(const LinkUdpOptions& options);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] ReceiveBatch::Received receive(ReceiveBatch& batch) { return batch.receive(fd_.get()); }
  // False when the kernel refused; then the datagram is lost.
  bool send(const Endpoint& to, Bytes payload);

 private:
  LinkUdpSocket(Fd fd, const LinkUdpOptions& options) : fd_(std::move(fd)), options_(options) {}
  Fd fd_;
  LinkUdpOptions options_;
};

}  // namespace hearthcast::linux
