#include "rendezvous-server/api/presence_port.hpp"

#include <utility>

namespace hearthcast::rendezvous {
namespace {

constexpr std::size_t kBatch = 8;  // datagrams between two turns of the loop

}  // namespace

Result<PresencePort, Failure> PresencePort::open(const Endpoint& at) {
  linux::UdpOptions options;
  options.port = at.port;
  options.answer_from_addressed = true;
  if (at.address != IpAddress::any(Family::kIp6)) {
    options.address = at.address;
  }
  auto socket = linux::UdpSocket::open(options);
  if (!socket) {
    return socket.error();
  }
  const Endpoint bound{socket->reaches(Family::kIp6) ? at.address
                       : at.address.is_ip4()         ? at.address
                                                     : IpAddress::any(Family::kIp4),
                       socket->port()};
  return PresencePort(bound, std::move(*socket));
}

PresencePort::PresencePort(Endpoint at, linux::UdpSocket socket)
    : at_(at), socket_(std::move(socket)), batch_(std::make_unique<linux::ReceiveBatch>(kBatch)) {}

void PresencePort::start(boost::asio::io_context& io, Handler handler) {
  handler_ = std::move(handler);
  watch_ = std::make_unique<runtime::ReadableWatch>(io, socket_.fd(), [this] { receive(); });
}

void PresencePort::close() {
  watch_.reset();
  handler_ = nullptr;
}

void PresencePort::send(const Endpoint& to, Bytes datagram) { (void)socket_.send(to, datagram); }

void PresencePort::receive() {
  for (const auto& datagram : socket_.receive(*batch_).datagrams) {
    if (!handler_) {
      return;
    }
    const Buffer answer = handler_(datagram.payload, datagram.source);
    if (!answer.empty()) {
      (void)socket_.send(datagram.source, answer);  // a full send buffer loses it, like any link
    }
  }
}

}  // namespace hearthcast::rendezvous
