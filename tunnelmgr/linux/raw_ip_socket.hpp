// A socket of one IP protocol, 6in4 (41) or GRE (47): what IP carries goes out and comes in, the kernel
// writes the IP header and puts fragments together. All addresses of one family.
//
// Receiving belongs to one thread.
#pragma once

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/linux/fd.hpp"
#include "tunnelmgr/linux/receive_batch.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"

namespace hearthcast::linux {

class RawIpSocket {
 public:
  // What NetdClient::open_raw_ip() gave.
  RawIpSocket(Fd fd, Family family);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] Family family() const { return family_; }

  // Datagrams with the port 0. Look at payload(): the kernel leaves the IPv4 header before it.
  [[nodiscard]] ReceiveBatch::Received receive(ReceiveBatch& batch) { return batch.receive(fd_.get()); }
  [[nodiscard]] Bytes payload(const Datagram& datagram) const;

  // As UdpSocket::send_segments(), the port aside. There is no offload for raw packets.
  SendResult send_segments(const IpAddress& to, Bytes slab, std::size_t stride, std::size_t count,
                           std::size_t last_size);

 private:
  Fd fd_;
  Family family_;
};

}  // namespace hearthcast::linux
