// Media in a tunnel: a provider's datagram becomes one GRE packet, the same for every viewer, and comes apart
// again at the other end. Nothing here allocates or copies a payload.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/wire/udp_packet.hpp"

namespace hearthcast::tunnel {

inline constexpr std::size_t kMediaGreSize = 12;  // GRE with key and sequence number, before the inner packet
// Room before a payload: that, and the larger inner header.
inline constexpr std::size_t kFrameHeadroom = kMediaGreSize + wire::kMaxInnerHeaderSize;

// What the socket told about a datagram besides its payload.
struct Provenance {
  Endpoint source;
  std::uint8_t hop_limit = 0;
  std::uint8_t traffic_class = 0;
};

// The box's side of one flow: numbers and frames.
class FlowFramer {
 public:
  FlowFramer(FlowId flow, Endpoint destination)
      : key_(static_cast<std::uint32_t>(flow.value)), destination_(destination) {}

  // `slot` begins with kFrameHeadroom octets of room; the payload is the rest. Returns the GRE packet, a view
  // into the slot, and takes the next sequence number. kBadValue: the hop limit is used up, or the source is
  // of another family.
  [[nodiscard]] Result<Bytes> frame(MutableBytes slot, const Provenance& provenance);

  [[nodiscard]] std::uint32_t next_sequence() const { return sequence_; }

 private:
  std::uint32_t key_;
  Endpoint destination_;
  std::uint32_t sequence_ = 0;
};

struct MediaFrame {
  FlowId flow;
  std::uint32_t sequence = 0;
  wire::UdpPacketHeader header;  // source, group and port as the provider sent them
  Bytes payload;                 // a view into the packet
};

// The away side. `inner` must be media. Only datagrams to a multicast group are media.
[[nodiscard]] Result<MediaFrame> decode_media(const InnerPacket& inner);

}  // namespace hearthcast::tunnel
