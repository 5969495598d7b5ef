// A socket of unsealed tunnels: a UDP port, an IP protocol, or the port of heartbeats. Apart from the
// tunnels' own port, whose first octets tell STUN from DTLS: there these would not be told apart. Data thread
// only, once added.
#pragma once

#include <variant>

#include "tunnelmgr/linux/raw_ip_socket.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"

namespace hearthcast::forward {

class ClearPort {
 public:
  enum class Use { kTunnels, kHeartbeats };

  explicit ClearPort(linux::UdpSocket socket, Use use = Use::kTunnels)
      : socket_(std::move(socket)), use_(use) {}
  explicit ClearPort(linux::RawIpSocket socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int fd() const;
  [[nodiscard]] Use use() const { return use_; }

  [[nodiscard]] linux::ReceiveBatch::Received receive(linux::ReceiveBatch& batch);
  // What UDP carried, or IP.
  [[nodiscard]] Bytes payload(const linux::Datagram& datagram) const;
  // As UdpSocket::send_segments(). `to` has the port 0 over IP.
  linux::SendResult send_segments(const Endpoint& to, Bytes slab, std::size_t stride, std::size_t count,
                                  std::size_t last_size);

 private:
  std::variant<linux::UdpSocket, linux::RawIpSocket> socket_;
  Use use_ = Use::kTunnels;
};

}  // namespace hearthcast::forward
