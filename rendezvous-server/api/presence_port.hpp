// The UDP socket of presence. Control thread only.
#pragma once

#include <functional>
#include <memory>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"
#include "tunnelmgr/runtime/readable_watch.hpp"

namespace hearthcast::rendezvous {

class PresencePort {
 public:
  // Returns what to send back; empty for nothing.
  using Handler = std::function<Buffer(Bytes datagram, const Endpoint& from)>;

  // `[::]` takes IPv4 too, and falls back to 0.0.0.0 on a machine without IPv6.
  [[nodiscard]] static Result<PresencePort, Failure> open(const Endpoint& at);
  [[nodiscard]] Endpoint at() const { return at_; }  // with the port that the kernel chose for 0
  // Answers go out from the address that was asked. The port stays where it is in memory from now on.
  void start(boost::asio::io_context& io, Handler handler);
  void send(const Endpoint& to, Bytes datagram);  // a full send buffer loses it, like any link
  void close();                                   // forgets the handler

 private:
  PresencePort(Endpoint at, linux::UdpSocket socket);
  void receive();

  Endpoint at_;
  linux::UdpSocket socket_;
  std::unique_ptr<linux::ReceiveBatch> batch_;
  Handler handler_;
  std::unique_ptr<runtime::ReadableWatch> watch_;  // goes before the socket
};

}  // namespace hearthcast::rendezvous
