#include "rendezvous-server/api/presence_port.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/v6_only.hpp>

namespace hearthcast::rendezvous {

using boost::asio::ip::udp;

namespace {

udp::endpoint asio_endpoint(const Endpoint& endpoint) {
  const Bytes octets = endpoint.address.bytes();
  if (endpoint.address.is_ip4()) {
    boost::asio::ip::address_v4::bytes_type four{};
    std::copy(octets.begin(), octets.end(), four.begin());
    return {boost::asio::ip::address_v4(four), endpoint.port};
  }
  boost::asio::ip::address_v6::bytes_type sixteen{};
  std::copy(octets.begin(), octets.end(), sixteen.begin());
  return {boost::asio::ip::address_v6(sixteen), endpoint.port};
}

Endpoint endpoint_of(const udp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v6() && !address.to_v6().is_v4_mapped()) {
    return {*IpAddress::from_bytes(address.to_v6().to_bytes()), endpoint.port()};
  }
  const auto four = address.is_v4()
                        ? address.to_v4()
                        : boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  return {IpAddress::ip4(static_cast<std::uint32_t>(four.to_uint())), endpoint.port()};
}

boost::system::error_code bind(udp::socket& socket, const Endpoint& at) {
  boost::system::error_code error;
  const udp::endpoint to = asio_endpoint(at);
  socket.open(to.protocol(), error);
  if (!error && at.address.is_ip6()) {
    socket.set_option(boost::asio::ip::v6_only(!at.address.is_unspecified()), error);
  }
  if (!error) {
    socket.bind(to, error);
  }
  if (!error) {
    socket.non_blocking(true, error);  // an answer that does not fit the send buffer is lost, not waited for
  }
  return error;
}

}  // namespace

Result<Endpoint, Failure> PresencePort::open(Endpoint at) {
  auto error = bind(socket_, at);
  if (error == boost::system::errc::address_family_not_supported &&
      at.address == IpAddress::any(Family::kIp6)) {
    at.address = IpAddress::any(Family::kIp4);
    error = bind(socket_, at);
  }
  if (error) {
    return Failure{"cannot listen on UDP " + at.to_string() + ": " + error.message() +
                   (error == boost::system::errc::address_in_use ? "; another program uses this port" : "")};
  }
  return Endpoint{at.address, socket_.local_endpoint().port()};
}

void PresencePort::start(Handler handler) {
  handler_ = std::move(handler);
  receive();
}

void PresencePort::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  handler_ = nullptr;
}

void PresencePort::receive() {
  socket_.async_receive_from(
      boost::asio::buffer(datagram_), from_,
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
        if (!self->socket_.is_open() || !self->handler_) {
          return;
        }
        if (!error) {  // errors are ICMP answers to something sent before
          // The mapping as the datagram's IP source shows it: a dual-stack socket names IPv4 in IPv6 form.
          const Buffer answer = self->handler_(Bytes(self->datagram_).first(size), endpoint_of(self->from_));
          if (!answer.empty()) {
            boost::system::error_code lost;
            self->socket_.send_to(boost::asio::buffer(answer), self->from_, udp::socket::message_flags{},
                                  lost);
          }
        }
        self->receive();
      });
}

}  // namespace hearthcast::rendezvous
