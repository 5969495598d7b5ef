// Datagrams of one flow gathered into a frame for a TUN interface, which the kernel parts again: the system
// call, the headers and the way through the kernel are paid once. Pure.
//
// A frame is a struct virtio_net_hdr (10 octets, the machine's byte order) and an IP packet whose UDP
// checksum is left to the kernel.
#pragma once

#include <cstddef>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/wire/udp_packet.hpp"

namespace hearthcast::away {

class TunBatch {
 public:
  static constexpr std::size_t kMostDatagrams = 47;
  static constexpr std::size_t kMostPayload =
      64000;  // octets, of all together; fits an IP packet of any family

  // False, and nothing happens: it does not fit to what is there already; write that first. All datagrams of
  // a batch have the same header and, but the last one, the same size.
  [[nodiscard]] bool add(const wire::UdpPacketHeader& header, Bytes payload);
  [[nodiscard]] std::size_t datagrams() const { return datagrams_; }
  void clear() { datagrams_ = 0; }

  // Valid until the next call. All of it in one frame; there is something.
  [[nodiscard]] Bytes frame();
  // One datagram as a frame of its own, for kernels that part none. Call from 0 on, each once: its header
  // takes the place of the former one's end.
  [[nodiscard]] Bytes single(std::size_t number);

 private:
  static constexpr std::size_t kFrameHeader = 10;
  static constexpr std::size_t kHeadroom = kFrameHeader + wire::kMaxInnerHeaderSize;

  [[nodiscard]] Bytes finish(std::size_t payload_at, std::size_t size, bool parted);

  Buffer slab_;  // headroom, then the payloads one behind the other; grows to its whole size once
  wire::UdpPacketHeader header_;
  std::size_t datagrams_ = 0;
  std::size_t stride_ = 0;  // of all datagrams but the last
  std::size_t size_ = 0;    // of all payloads
};

}  // namespace hearthcast::away
