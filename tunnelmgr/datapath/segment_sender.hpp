// Seals inner packets for one peer into one slab and sends them in as few system calls as the kernel allows.
#pragma once

#include <cstdint>
#include <span>

#include "tunnelmgr/datapath/relay_route.hpp"
#include "tunnelmgr/datapath/session_table.hpp"
#include "tunnelmgr/linux/udp_socket.hpp"

namespace hearthcast::datapath {

inline constexpr std::size_t kMaxBatch = 47;  // packets of a batch: what one UDP_SEGMENT send takes of them
inline constexpr std::size_t kMaxInnerSize =
    1552;  // GRE packet: a payload of 1472 with its headers, and room
inline constexpr std::size_t kMaxRecordGrowth = 48;  // DTLS 1.2 with any suite that we offer

class SegmentSender {
 public:
  SegmentSender(linux::UdpSocket& socket, const RelayRoute& route);  // both outlive it

  struct Sent {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;  // sealed, with the channel's header where there is one
    std::uint64_t drops = 0;
  };
  // At most kMaxBatch packets of at most kMaxInnerSize octets each. What the kernel does not take now is
  // dropped: a full path costs its own viewer and nobody else. What it refuses for its size is dropped too
  // and noted in the peer. ecn: of the outer headers (RFC 6040).
  Sent send(Peer& peer, std::span<const Bytes> packets, std::uint8_t ecn = 0);

 private:
  struct Run {  // records of one size, and at the end perhaps a shorter one
    std::size_t stride = 0;
    std::size_t count = 0;
    std::size_t last_size = 0;
  };
  // Record by record on the relay's stream.
  Sent send_on_stream(Peer& peer, std::uint16_t channel, std::span<const Bytes> packets);
  void flush(Peer& peer, const Run& run, std::uint8_t ecn, Sent& sent);

  linux::UdpSocket& socket_;
  const RelayRoute& route_;
  Buffer slab_;
};

}  // namespace hearthcast::datapath
