// Media for paths that the full form does not fit: the UDP ports instead of the inner headers, whole or in
// two fragments, with the flow number and the sequence number of the full form (docs/protocol/tunnel.md).
//
// GRE protocol type 0x88B6, then, in network byte order:
//   source port u16, destination port u16, traffic class u8, hop limit u8, fragment index u8, fragment count
//   u8 of a first of several fragments: 0x0800 or 0x86DD u16, source address, group this fragment's part of
//   the UDP payload
// What comes in one packet names no addresses: the receiver knows them from an earlier datagram of the flow
// that came in fragments. Nothing here allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/ids.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"

namespace hearthcast::tunnel {

// How a datagram travels. The first two have no numbers (unnumbered_framing.hpp); the others are the forms of
// GRE, from the least costly on.
enum class MediaForm : std::uint8_t { kSixInFour, kAyiya, kFull, kCompact, kFragments };
inline constexpr std::size_t kMediaForms = 5;
// "6in4", "ayiya", "full", "compact", "fragments"
[[nodiscard]] const char* to_string(MediaForm form);

inline constexpr std::size_t kMaxCompactPayload = 1492;  // of a datagram; larger ones are not media here
inline constexpr std::size_t kCompactRoom = kMaxCompactPayload + 96;  // for two packets with headers of 48

// Octets of the largest packet that a datagram becomes in that form.
[[nodiscard]] std::size_t packet_size(MediaForm form, Family family, std::size_t payload);
// The least costly form of GRE in which no packet has more than `limit` octets; fragments when even they do
// not fit.
[[nodiscard]] MediaForm form_for(Family family, std::size_t payload, std::size_t limit);

// What FlowFramer::frame() made, looked at without a check: for the sender itself.
struct FullFrame {
  Family family = Family::kIp4;
  std::uint32_t sequence = 0;
  std::size_t payload = 0;  // octets
};
// kTruncated or kBadValue when it is no such frame.
[[nodiscard]] Result<FullFrame> look_at_frame(Bytes full);

// Of the inner header of such a frame, unchecked.
[[nodiscard]] std::uint8_t traffic_class_of(Bytes full);

struct CompactPackets {
  std::array<Bytes, 2> packets;  // views into the room
  std::size_t count = 0;
};
// The same datagram in a compact form. `room` has at least kCompactRoom octets and does not overlap `full`.
// An error as look_at_frame(), and kBadLength for more than kMaxCompactPayload.
[[nodiscard]] Result<CompactPackets> to_compact(Bytes full, MediaForm form, MutableBytes room);

struct FlowAddresses {
  IpAddress source;
  IpAddress group;
  friend bool operator==(const FlowAddresses&, const FlowAddresses&) = default;
};

struct CompactPacket {
  FlowId flow;
  std::uint32_t sequence = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 0;
  std::uint8_t index = 0;
  std::uint8_t count = 1;                  // 1 or 2
  std::optional<FlowAddresses> addresses;  // of a first fragment of two
  Bytes part;                              // a view into the packet; never empty in fragments
};
// `inner` must be of kind kCompact.
[[nodiscard]] Result<CompactPacket> decode_compact(const InnerPacket& inner);

}  // namespace hearthcast::tunnel
