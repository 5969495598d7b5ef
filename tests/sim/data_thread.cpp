#include "tests/sim/data_thread.hpp"

#include <array>

#include "tunnelmgr/secure/dtls_record.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::sim {

using secure::DtlsContent;

void DataThread::on_datagram(const Endpoint& from, Bytes datagram) {
  const auto kind = wire::classify(datagram);
  if (kind == wire::DatagramKind::kStun) {
    ports_.stun(from, datagram);
  }
  if (kind != wire::DatagramKind::kDtls) {
    return;
  }
  datapath::Peer* peer = table_.find(from);
  const auto content = secure::dtls_content(datagram);
  if (content == DtlsContent::kOther || (content == DtlsContent::kApplicationData && peer == nullptr)) {
    return;
  }
  const bool sealed = content == DtlsContent::kApplicationData || content == DtlsContent::kAlert;
  if (sealed && peer != nullptr && open(*peer, from, datagram)) {
    return;
  }
  if (content != DtlsContent::kApplicationData) {
    ports_.handshake(from, peer == nullptr ? PeerId{} : peer->id, datagram);
  }
}

bool DataThread::open(datapath::Peer& peer, const Endpoint& from, Bytes datagram) {
  std::array<std::uint8_t, 4096> plain{};
  const PeerId id = peer.id;
  const auto size = peer.session->open(datagram, plain);
  if (size) {
    ports_.inner(id, from, Bytes(plain).first(*size));
    return true;
  }
  if (size.error() != secure::OpenError::kEnded) {
    return false;
  }
  const auto gone = table_.remove(id);
  ports_.closed(id, gone->session->reason());
  return true;
}

void DataThread::remove(const datapath::RemoveSession& message) {
  const auto peer = table_.remove(message.peer);
  if (peer && message.close) {
    std::array<std::uint8_t, 128> record{};
    const auto size = peer->session->close(record);
    ports_.send(peer->endpoint, Bytes(record).first(size));
  }
}

void DataThread::pass(const datapath::PassToSession& message, Time now) {
  if (datapath::Peer* peer = table_.find(message.peer); peer != nullptr) {
    for (const Buffer& datagram : peer->session->on_datagram(message.datagram, now)) {
      ports_.send(peer->endpoint, datagram);
    }
  }
}

void DataThread::seal(PeerId id, Bytes gre) {
  datapath::Peer* peer = table_.find(id);
  if (peer == nullptr) {
    return;
  }
  Buffer record(gre.size() + secure::kDtlsMaxOverhead);
  record.resize(peer->session->seal(gre, record));
  if (!record.empty()) {
    ports_.send(peer->endpoint, record);
  }
}

}  // namespace hearthcast::sim
