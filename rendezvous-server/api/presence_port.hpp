// The UDP socket of presence. Control thread only.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::rendezvous {

class PresencePort : public std::enable_shared_from_this<PresencePort> {
 public:
  // Returns what to send back; empty for nothing.
  using Handler = std::function<Buffer(Bytes datagram, const Endpoint& from)>;

  explicit PresencePort(boost::asio::io_context& io) : socket_(io) {}
  // `[::]` takes IPv4 too, and falls back to 0.0.0.0 on a machine without IPv6.
  [[nodiscard]] Result<Endpoint, Failure> open(Endpoint at);
  void start(Handler handler);  // needs a shared_ptr to this
  void close();                 // forgets the handler

 private:
  void receive();

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint from_;
  std::array<std::uint8_t, 1500> datagram_{};
  Handler handler_;
};

}  // namespace hearthcast::rendezvous
