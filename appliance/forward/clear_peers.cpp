#include "appliance/forward/clear_peers.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>

#include "appliance/forward/wall_clock.hpp"

namespace hearthcast::forward {
namespace {

tunnel::Moment moment_at(Time now) { return {now, wall_clock_seconds()}; }

Family family_of(Bytes ip_packet) {
  return !ip_packet.empty() && ip_packet[0] >> 4 == 4 ? Family::kIp4 : Family::kIp6;
}

}  // namespace

datapath::SegmentSender::Sent ClearPeer::send(std::span<const Bytes> packets) {
  assert(packets.size() <= datapath::kMaxBatch);
  datapath::SegmentSender::Sent sent;
  auto& form = machine_->encapsulation();
  const std::size_t header = form.header_size();
  const auto moment = moment_at(Clock::now());
  // A run: datagrams of one size, which the first sets, and at its end perhaps a shorter one.
  std::size_t stride = 0;
  std::size_t count = 0;
  std::size_t last_size = 0;
  for (const Bytes packet : packets) {
    const std::size_t size = header + packet.size();
    if (!machine_->endpoint() || packet.size() > datapath::kMaxInnerSize ||
        !form.carries(family_of(packet))) {
      ++sent.drops;
      continue;
    }
    if (count > 0 && (last_size < stride || size > stride)) {
      flush(stride, count, last_size, sent);
      count = 0;
    }
    if (count == 0) {
      stride = size;
    }
    const auto slot = slab_.from(count * stride).first(size);
    std::copy(packet.begin(), packet.end(), slot.begin() + static_cast<std::ptrdiff_t>(header));
    form.seal(slot, moment);
    last_size = size;
    ++count;
  }
  flush(stride, count, last_size, sent);
  return sent;
}

void ClearPeer::flush(std::size_t stride, std::size_t count, std::size_t last_size,
                      datapath::SegmentSender::Sent& sent) {
  if (count == 0) {
    return;
  }
  const auto result = port_.send_segments(*machine_->endpoint(), slab_.from(0), stride, count, last_size);
  sent.packets += result.datagrams;
  sent.drops += count - result.datagrams;
  sent.bytes += result.datagrams == count ? (count - 1) * stride + last_size : result.datagrams * stride;
}

ClearPort& ClearPeers::add_port(AddClearPort message) {
  Port& port = ports_[message.port];
  port.socket = std::move(message.socket);
  port.counters.port = message.port;
  return *port.socket;
}

void ClearPeers::add_peer(AddClearPeer message, ClearSink& sink) {
  ClearPeer peer(message.peer, std::move(message.machine), *ports_.at(message.port).socket, slab_);
  const auto added = peers_.emplace(message.peer, std::move(peer)).first;
  tell_endpoint(added->second, sink);
}

ClearPeer* ClearPeers::find(PeerId peer) {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

void ClearPeers::read(std::size_t port, linux::ReceiveBatch& batch, ClearSink& sink, Time now) {
  const auto found = ports_.find(port);
  if (found == ports_.end()) {
    return;
  }
  Port& at = found->second;
  const auto received = at.socket->receive(batch);
  const auto moment = moment_at(now);
  for (const auto& datagram : received.datagrams) {
    ++at.counters.datagrams;
    if (at.socket->use() == ClearPort::Use::kHeartbeats) {
      take_heartbeat(at, datagram, sink, moment);
    } else {
      take(at, datagram, sink, moment);
    }
  }
}

void ClearPeers::take(Port& port, const linux::Datagram& datagram, ClearSink& sink,
                      const tunnel::Moment& moment) {
  const Bytes payload = port.socket->payload(datagram);
  const auto claimed = std::ranges::find_if(peers_, [&](const auto& entry) {
    const ClearPeer& peer = entry.second;
    return &peer.port() == port.socket.get() && peer.machine().claims(datagram.source, payload);
  });
  if (claimed == peers_.end()) {
    ++port.counters.unknown;
    return;
  }
  ClearPeer& peer = claimed->second;
  const auto reaction = peer.machine().on_datagram(datagram.source, payload, moment);
  if (reaction.answer) {
    const Bytes answer = reaction.answer->datagram;
    (void)port.socket->send_segments(reaction.answer->to, answer, answer.size(), 1, answer.size());
  }
  tell_endpoint(peer, sink);
  if (!reaction.packet.empty()) {
    sink.on_clear_packet(peer.id(), reaction.packet);
  }
}

void ClearPeers::take_heartbeat(Port& port, const linux::Datagram& datagram, ClearSink& sink,
                                const tunnel::Moment& moment) {
  for (auto& [id, peer] : peers_) {
    if (peer.machine().on_heartbeat(datagram.source, datagram.payload, moment)) {
      tell_endpoint(peer, sink);
      return;
    }
  }
  ++port.counters.unknown;
}

void ClearPeers::send(const SendClear& message) {
  if (ClearPeer* peer = find(message.peer)) {
    const Bytes packet = message.packet;
    (void)peer->send(std::span(&packet, 1));
  }
}

void ClearPeers::on_tick(ClearSink& sink, Time now) {
  for (auto& [id, peer] : peers_) {
    peer.machine().on_tick(now);
    tell_endpoint(peer, sink);
  }
}

void ClearPeers::tell_endpoint(ClearPeer& peer, ClearSink& sink) {
  if (peer.told != peer.machine().endpoint()) {
    peer.told = peer.machine().endpoint();
    sink.on_clear_endpoint(peer.id(), peer.told);
  }
}

void ClearPeers::report(Statistics& statistics) const {
  for (const auto& [id, peer] : peers_) {
    statistics.clear_peers.push_back({id, peer.machine().last_received(), peer.machine().counters()});
  }
  for (const auto& [number, port] : ports_) {
    statistics.clear_ports.push_back(port.counters);
  }
}

}  // namespace hearthcast::forward
