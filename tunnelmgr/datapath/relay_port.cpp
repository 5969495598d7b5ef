#include "tunnelmgr/datapath/relay_port.hpp"

#include <utility>

namespace hearthcast::datapath {
namespace {

const std::string kAlpn = "stun.turn";  // RFC 7443: behind one address with a web server

}  // namespace

void RelayPort::close() {
  if (auto* stream = route_.stream()) {
    epoll_.remove(stream->fd());
  }
  route_.set(std::nullopt);
}

void RelayPort::set(const SetRelay& message) {
  close();
  route_.set(message.relay);
}

void RelayPort::open(OpenRelayStream message) {
  close();
  id_ = message.id;
  open_told_ = false;
  auto socket = linux::TcpStream::connect(message.server);
  if (!socket) {
    refused_ = RelayStreamChanged{id_, false, socket.error().text};
    return;
  }
  std::optional<secure::TlsStream> tls;
  if (message.tls) {
    tls.emplace(std::move(message.tls), message.host, kAlpn);
  }
  auto stream = std::make_unique<RelayStream>(std::move(*socket), std::move(tls));
  writes_ = true;
  if (!epoll_.add(stream->fd(), token_, true, true)) {
    refused_ = RelayStreamChanged{id_, false, "the kernel refuses to watch the connection"};
    return;
  }
  route_.set(message.server, std::move(stream));
}

void RelayPort::on_event(const linux::Epoll::Event& event, PortReader& reader, PortSink& sink, Time now) {
  if (auto* stream = route_.stream()) {
    stream->on_event(
        event, [&](Bytes message) { reader.take_from_relay(*route_.stream_server(), message, sink, now); });
  }
}

std::optional<RelayStreamChanged> RelayPort::tend() {
  if (refused_) {
    return std::exchange(refused_, std::nullopt);
  }
  auto* stream = route_.stream();
  if (stream == nullptr) {
    return std::nullopt;
  }
  if (stream->state() == RelayStream::State::kEnded) {
    RelayStreamChanged ended{id_, false, stream->reason()};
    close();
    return ended;
  }
  if (const bool writes = stream->wants_write(); writes != writes_) {
    writes_ = writes;
    epoll_.change(stream->fd(), token_, true, writes);
  }
  if (stream->state() == RelayStream::State::kOpen && !std::exchange(open_told_, true)) {
    return RelayStreamChanged{id_, true, {}};
  }
  return std::nullopt;
}

}  // namespace hearthcast::datapath
