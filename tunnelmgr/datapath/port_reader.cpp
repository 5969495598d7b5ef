#include "tunnelmgr/datapath/port_reader.hpp"

#include "tunnelmgr/secure/dtls_record.hpp"
#include "tunnelmgr/wire/channel_data.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::datapath {

PortReader::PortReader(linux::UdpSocket& socket, SessionTable& sessions, PortCounters& counters,
                       const RelayRoute& route)
    : socket_(socket),
      sessions_(sessions),
      counters_(counters),
      route_(route),
      plaintext_(secure::kDtlsMaxPlaintext) {}

bool PortReader::read(linux::ReceiveBatch& batch, PortSink& sink, Time now) {
  const auto received = socket_.receive(batch);
  counters_.kernel_drops = batch.overflow().value_or(counters_.kernel_drops);
  for (const auto& datagram : received.datagrams) {
    take(datagram.source, datagram.payload, sink, now, datagram.traffic_class);
  }
  return received.more;
}

void PortReader::take(const Endpoint& from, Bytes datagram, PortSink& sink, Time now,
                      std::uint8_t traffic_class) {
  ++counters_.datagrams;
  traffic_class_ = traffic_class;
  if (wire::channel_of(from)) {  // an address that nobody has: the source is forged
    ++counters_.stray;
    return;
  }
  if (route_.is_relay(from)) {
    if (const auto data = wire::decode_channel_data(datagram)) {
      sort(wire::channel_endpoint(data->channel), data->payload, sink, now);
      return;
    }
  }
  sort(from, datagram, sink, now);
}

void PortReader::take_from_relay(const Endpoint& server, Bytes message, PortSink& sink, Time now) {
  ++counters_.datagrams;
  traffic_class_ = 0;
  if (const auto data = wire::decode_channel_data(message)) {
    sort(wire::channel_endpoint(data->channel), data->payload, sink, now);
  } else {
    sink.on_stun(server, message);
  }
}

void PortReader::sort(const Endpoint& from, Bytes datagram, PortSink& sink, Time now) {
  switch (wire::classify(datagram)) {
    case wire::DatagramKind::kStun:
      sink.on_stun(from, datagram);
      return;
    case wire::DatagramKind::kDtls:
      take_dtls(from, datagram, sink, now);
      return;
    case wire::DatagramKind::kOther:
      ++counters_.stray;
      return;
  }
}

void PortReader::take_dtls(const Endpoint& from, Bytes datagram, PortSink& sink, Time now) {
  Peer* peer = sessions_.find(from);
  switch (secure::dtls_content(datagram)) {
    case secure::DtlsContent::kApplicationData:
      if (peer == nullptr) {
        ++counters_.unvouched;
        return;
      }
      if (!open_record(*peer, from, datagram, sink, now)) {
        ++counters_.rejected;
      }
      return;
    case secure::DtlsContent::kAlert:
      // A close_notify of the session; what it does not recognise is an alert of a handshake in progress.
      if (peer == nullptr || !open_record(*peer, from, datagram, sink, now)) {
        sink.on_handshake(from, peer == nullptr ? PeerId{} : peer->id, datagram);
      }
      return;
    case secure::DtlsContent::kHandshake:
    case secure::DtlsContent::kChangeCipherSpec:
      sink.on_handshake(from, peer == nullptr ? PeerId{} : peer->id, datagram);
      return;
    case secure::DtlsContent::kOther:
      ++counters_.stray;
      return;
  }
}

bool PortReader::open_record(Peer& peer, const Endpoint& from, Bytes datagram, PortSink& sink, Time now) {
  const auto size = peer.session->open(datagram, plaintext_);
  if (size) {
    ++peer.records;
    peer.last_received = now;
    peer.traffic_class = traffic_class_;
    sink.on_inner(peer, from, Bytes(plaintext_).first(*size));
    return true;
  }
  if (size.error() != secure::OpenError::kEnded) {
    return false;
  }
  const auto gone = sessions_.remove(peer.id);
  sink.on_closed(gone->id, gone->session->reason());
  return true;
}

void PortReader::pass_to_session(const PassToSession& message, Time now) {
  Peer* peer = sessions_.find(message.peer);
  if (peer == nullptr) {
    return;
  }
  for (const auto& datagram : peer->session->on_datagram(message.datagram, now)) {
    route_.send(socket_, peer->endpoint, datagram);  // a loss is repaired like any other
  }
}

}  // namespace hearthcast::datapath
