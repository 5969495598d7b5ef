// Probes of a path's size and their answers: control packets (GRE 0x88B5) of kinds 3 and 4, which are not
// retransmitted. A probe is padded with zeros to the size that it tries; its answer is small.
//
//   version u8 = 1, kind u8, nonce u32, size u16, path_mtu u16, padding (probes only)
// size: of the IP packet that the probe travels in, when it does. path_mtu: what the prober has confirmed, 0
// for nothing yet; an answer repeats both. Network byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::tunnel {

struct PathProbe {
  bool answer = false;
  std::uint32_t nonce = 0;
  std::uint16_t size = 0;
  std::uint16_t path_mtu = 0;
  friend bool operator==(const PathProbe&, const PathProbe&) = default;
};

// `payload` is what follows the GRE header of a control packet. Nothing when it is another kind, or cut
// short.
[[nodiscard]] std::optional<PathProbe> decode_path_probe(Bytes payload);

// A whole GRE packet: an answer, or a probe of `packet_size` octets; smaller than its fields it cannot be.
[[nodiscard]] Buffer encode(const PathProbe& probe, std::size_t packet_size = 0);

}  // namespace hearthcast::tunnel
