// Packets of the tunnel's control transport (docs/protocol/tunnel.md): a fragment of a message, or the
// acknowledgement of one. They are the payload of GRE packets of protocol type 0x88B5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::tunnel {

inline constexpr std::size_t kFragmentSize = 1024;  // every fragment but the last of a message has this many
inline constexpr std::size_t kMaxFragments = 4096;
inline constexpr std::size_t kMaxMessageSize = kFragmentSize * kMaxFragments;

struct Fragment {
  std::uint32_t message_id = 0;
  std::uint16_t index = 0;
  std::uint16_t count = 1;
  Bytes body;  // a view into the packet
};

struct Acknowledgement {
  std::uint32_t message_id = 0;
  std::uint16_t index = 0;
  friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};

using ControlPacket = std::variant<Fragment, Acknowledgement>;

// `payload` is what follows the GRE header. Octets after an acknowledgement are ignored.
[[nodiscard]] Result<ControlPacket> decode_control_packet(Bytes payload);

// Whole GRE packets, header included.
[[nodiscard]] Buffer encode(const Fragment& fragment);
[[nodiscard]] Buffer encode(const Acknowledgement& acknowledgement);

}  // namespace hearthcast::tunnel
