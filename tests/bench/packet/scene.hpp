// What the packet benchmark measures: a flow of the box with viewers on loopback, sealed or clear.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "appliance/forward/clear_peers.hpp"
#include "appliance/forward/flow.hpp"
#include "tunnelmgr/secure/openssl_crypto.hpp"
#include "tunnelmgr/secure/openssl_old_hashes.hpp"

namespace hearthcast::bench {

constexpr std::size_t kPayload = 1316;
constexpr std::size_t kBatch = 16;  // datagrams of one receive call
extern const IpAddress kLoopback;
extern const FlowKey kFlow;

struct Ends {
  std::unique_ptr<secure::DtlsSession> box;
  std::unique_ptr<secure::DtlsSession> device;
};
[[nodiscard]] Ends handshake();

[[nodiscard]] Buffer transport_stream();  // kPayload octets of null packets

// A provider, the port where its datagrams come in, and one socket for each viewer.
struct Wires {
  explicit Wires(std::size_t viewers);
  void provide(Bytes payload);  // kBatch datagrams wait at `ingest`
  void empty_sinks();

  linux::UdpSocket provider = linux::UdpSocket::open({}).value();
  linux::UdpSocket ingest = linux::UdpSocket::open({}).value();
  std::vector<linux::UdpSocket> sinks;
  std::vector<Endpoint> viewers;
  linux::ReceiveBatch batch;
};

struct Scene {
  enum class Seal { kDtls, kNone };  // GRE in each; over UDP when clear

  Scene(std::size_t viewers, Seal seal);
  void forward(std::span<const linux::Datagram> datagrams) {
    static_cast<void>(flow.forward(datagrams, forms, sender, Clock::now()));
  }
  void add_sealed(const Endpoint& to);
  void add_clear(const Endpoint& to, forward::ClearSink& nobody);

  Wires wires;
  linux::UdpSocket socket = linux::UdpSocket::open({}).value();
  datapath::RelayRoute route;
  datapath::SegmentSender sender{socket, route};
  forward::FormedBatch forms;
  std::list<datapath::Peer> peers;  // viewers keep pointers to them
  secure::OpenSslCrypto crypto;
  secure::OpenSslOldHashes old_hashes;
  secure::OpenSslRandom random;
  forward::ClearPeers clear;
  forward::Flow flow{forward::AddFlow{FlowId{1}, kFlow, nullptr}};
};

}  // namespace hearthcast::bench
