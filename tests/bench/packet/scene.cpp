#include "tests/bench/packet/scene.hpp"

#include <stdexcept>

namespace hearthcast::bench {
namespace {

class Nobody final : public forward::ClearSink {
 public:
  void on_clear_packet(PeerId, Bytes) override {}
  void on_clear_endpoint(PeerId, const std::optional<Endpoint>&) override {}
};

}  // namespace

const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");
const FlowKey kFlow{std::nullopt, *IpAddress::parse("239.1.1.1"), 5004};

Ends handshake() {
  static const auto away = secure::make_identity();
  static const auto home = secure::make_identity();
  static const auto away_context = secure::DtlsContext::make(away).value();
  static const auto home_context = secure::DtlsContext::make(home).value();
  Ends ends{std::make_unique<secure::DtlsSession>(home_context, secure::DtlsRole::kServer, away.id()),
            std::make_unique<secure::DtlsSession>(away_context, secure::DtlsRole::kClient, home.id())};
  static_cast<void>(ends.box->start(Time{}));
  const auto hello = ends.box->on_datagram(ends.device->start(Time{}).at(0), Time{});
  const auto finished = ends.box->on_datagram(ends.device->on_datagram(hello.at(0), Time{}).at(0), Time{});
  static_cast<void>(ends.device->on_datagram(finished.at(0), Time{}));
  if (ends.device->state() != secure::DtlsState::kEstablished) {
    throw std::runtime_error("handshake failed");
  }
  return ends;
}

Buffer transport_stream() {
  Buffer payload(kPayload, 0xFF);
  for (std::size_t at = 0; at < kPayload; at += 188) {
    payload[at] = 0x47;
    payload[at + 1] = 0x1F;  // null packets: their counters mean nothing
    payload[at + 2] = 0xFF;
    payload[at + 3] = 0x10;
  }
  return payload;
}

Wires::Wires(std::size_t count) {
  for (std::size_t n = 0; n < count; ++n) {
    sinks.push_back(linux::UdpSocket::open({}).value());
    viewers.emplace_back(Endpoint{kLoopback, sinks.back().port()});
  }
}

void Wires::provide(Bytes payload) {
  for (std::size_t n = 0; n < kBatch; ++n) {
    static_cast<void>(provider.send({kLoopback, ingest.port()}, payload));
  }
}

void Wires::empty_sinks() {
  for (auto& sink : sinks) {
    while (!sink.receive(batch).datagrams.empty()) {
    }
  }
}

Scene::Scene(std::size_t viewers, Seal seal) : wires(viewers) {
  Nobody nobody;
  if (seal == Seal::kNone) {
    auto port = std::make_unique<forward::ClearPort>(linux::UdpSocket::open({}).value());
    static_cast<void>(clear.add_port({0, std::move(port)}));
  }
  for (const auto& to : wires.viewers) {
    if (seal == Seal::kDtls) {
      add_sealed(to);
    } else {
      add_clear(to, nobody);
    }
  }
}

void Scene::add_sealed(const Endpoint& to) {
  auto& peer = peers.emplace_back();
  peer.id = PeerId{static_cast<std::int64_t>(peers.size())};
  peer.endpoint = to;
  peer.session = handshake().box;
  auto& viewer = flow.viewers().emplace_back();
  viewer.peer = &peer;
  viewer.id = peer.id;
}

void Scene::add_clear(const Endpoint& to, forward::ClearSink& nobody) {
  const PeerId id{static_cast<std::int64_t>(flow.viewers().size() + 1)};
  tunnel::StaticPeerSettings settings{
      .name = "viewer",
      .encapsulation = {.form = tunnel::Form::kGre, .carrier = tunnel::Carrier::kUdp},
      .endpoint = to};
  auto peer = std::make_unique<tunnel::StaticPeer>(std::move(settings),
                                                   tunnel::StaticPeer::Tools{{crypto, old_hashes}, random});
  clear.add_peer({id, 0, std::move(peer)}, nobody);
  auto& viewer = flow.viewers().emplace_back();
  viewer.clear = clear.find(id);
  viewer.id = id;
}

}  // namespace hearthcast::bench
