// The foreign peers of the box on its data thread: media go out to each in its own form, its reports come in,
// and whatever else comes is counted. Nothing is sent to where no peer is known to be. Data thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "appliance/forward/clear_port.hpp"
#include "appliance/forward/messages.hpp"
#include "tunnelmgr/datapath/segment_sender.hpp"
#include "tunnelmgr/tunnel/static_peer.hpp"

namespace hearthcast::forward {

// Room for one batch in any form; all peers use it in turn.
class ClearSlab {
 public:
  static constexpr std::size_t kMaxHeader = 64;  // the largest is AYIYA's with SHA-256, 56 octets
  ClearSlab() : octets_(datapath::kMaxBatch * (datapath::kMaxInnerSize + kMaxHeader)) {}
  [[nodiscard]] MutableBytes from(std::size_t offset) { return MutableBytes(octets_).subspan(offset); }

 private:
  Buffer octets_;
};

class ClearPeer {
 public:
  ClearPeer(PeerId id, std::unique_ptr<tunnel::StaticPeer> machine, ClearPort& port, ClearSlab& slab)
      : id_(id), machine_(std::move(machine)), port_(port), slab_(slab) {}

  [[nodiscard]] PeerId id() const { return id_; }
  [[nodiscard]] tunnel::StaticPeer& machine() { return *machine_; }
  [[nodiscard]] const tunnel::StaticPeer& machine() const { return *machine_; }
  [[nodiscard]] const ClearPort& port() const { return port_; }

  // At most kMaxBatch whole IP packets, in as few system calls as the kernel allows. Dropped and counted: of
  // a family that the form does not carry, when nobody knows where the peer is, and what the kernel does not
  // take.
  datapath::SegmentSender::Sent send(std::span<const Bytes> packets);

  std::optional<Endpoint> told;  // the control thread knows of this endpoint

 private:
  void flush(std::size_t stride, std::size_t count, std::size_t last_size,
             datapath::SegmentSender::Sent& sent);

  PeerId id_;
  std::unique_ptr<tunnel::StaticPeer> machine_;
  ClearPort& port_;
  ClearSlab& slab_;
};

// Views are valid during the call only.
class ClearSink {
 public:
  virtual ~ClearSink() = default;
  virtual void on_clear_packet(PeerId peer, Bytes ip_packet) = 0;
  virtual void on_clear_endpoint(PeerId peer, const std::optional<Endpoint>& endpoint) = 0;
};

class ClearPeers {
 public:
  // Ports are numbered by who adds them. The port of a peer must be there.
  ClearPort& add_port(AddClearPort message);
  void add_peer(AddClearPeer message, ClearSink& sink);

  [[nodiscard]] ClearPeer* find(PeerId peer);
  // One batch of what waits at that port.
  void read(std::size_t port, linux::ReceiveBatch& batch, ClearSink& sink, Time now);
  void send(const SendClear& message);
  void on_tick(ClearSink& sink, Time now);
  void report(Statistics& statistics) const;

 private:
  struct Port {
    std::unique_ptr<ClearPort> socket;
    ClearPortCounters counters;
  };
  void take(Port& port, const linux::Datagram& datagram, ClearSink& sink, const tunnel::Moment& moment);
  void take_heartbeat(Port& port, const linux::Datagram& datagram, ClearSink& sink,
                      const tunnel::Moment& moment);
  static void tell_endpoint(ClearPeer& peer, ClearSink& sink);

  ClearSlab slab_;
  std::map<std::size_t, Port> ports_;
  std::map<PeerId, ClearPeer> peers_;
};

}  // namespace hearthcast::forward
