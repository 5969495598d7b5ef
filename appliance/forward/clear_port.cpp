#include "appliance/forward/clear_port.hpp"

namespace hearthcast::forward {

using linux::RawIpSocket;
using linux::UdpSocket;

int ClearPort::fd() const {
  return std::visit([](const auto& socket) { return socket.fd(); }, socket_);
}

linux::ReceiveBatch::Received ClearPort::receive(linux::ReceiveBatch& batch) {
  return std::visit([&](auto& socket) { return socket.receive(batch); }, socket_);
}

Bytes ClearPort::payload(const linux::Datagram& datagram) const {
  const auto* raw = std::get_if<RawIpSocket>(&socket_);
  return raw == nullptr ? datagram.payload : raw->payload(datagram);
}

linux::SendResult ClearPort::send_segments(const Endpoint& to, Bytes slab, std::size_t stride,
                                           std::size_t count, std::size_t last_size) {
  if (auto* raw = std::get_if<RawIpSocket>(&socket_)) {
    return raw->send_segments(to.address, slab, stride, count, last_size);
  }
  return std::get<UdpSocket>(socket_).send_segments(to, slab, stride, count, last_size);
}

}  // namespace hearthcast::forward
