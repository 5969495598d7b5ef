// The test packet of hearthcast-mcast, one UDP datagram:
//
//    0  4  "HCMP"
//    4  1  version, 1
//    5  3  zero
//    8  4  stream: a random number of the sender's run
//   12  8  sequence number, from 0
//   20  8  when it was sent: nanoseconds since 1970 by the sender's clock
//   28     zeros up to the size wished for
//
// Numbers are big-endian. Encoding never allocates, so a sender may do it per packet.
#pragma once

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::mcast {

inline constexpr std::size_t kProbeSize = 28;  // of the smallest one

struct Probe {
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0;
  std::int64_t sent_ns = 0;
  friend bool operator==(const Probe&, const Probe&) = default;
};

// Octets behind the first 28 are not looked at.
[[nodiscard]] Result<Probe> decode_probe(Bytes datagram);

// Writes the first kProbeSize octets of `out`, which is at least that long, and nothing else.
void encode_probe(const Probe& probe, MutableBytes out);

}  // namespace hearthcast::mcast
