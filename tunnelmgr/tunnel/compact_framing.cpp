#include "tunnelmgr/tunnel/compact_framing.hpp"

#include <algorithm>
#include <cassert>

#include "tunnelmgr/wire/gre.hpp"
#include "tunnelmgr/wire/udp_packet.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::size_t kGre = 12;     // with key and sequence number
constexpr std::size_t kAyiya = 24;   // with an identity of 16 octets and no signature
constexpr std::size_t kCompact = 8;  // ports, traffic class, hop limit, fragment
constexpr std::uint8_t kFragmentCount = 2;

constexpr std::size_t address_size(Family family) { return family == Family::kIp4 ? 4 : 16; }
constexpr std::size_t addresses_size(Family family) { return 2 + 2 * address_size(family); }

// The first fragment's part of a payload: both packets get the same size, so that the kernel can segment
// them, or the first gets one octet more. A payload that the addresses outweigh goes into the second, but for
// an octet.
std::size_t first_part(Family family, std::size_t payload) {
  const std::size_t all = addresses_size(family) + payload;
  const std::size_t half = (all + 1) / 2;
  return half > addresses_size(family) ? half - addresses_size(family) : std::min<std::size_t>(payload, 1);
}

std::uint16_t u16_at(Bytes octets, std::size_t at) {
  return static_cast<std::uint16_t>(octets[at] << 8 | octets[at + 1]);
}

// Where the fields of a full frame's inner headers are.
struct Places {
  std::size_t source;
  std::size_t group;
  std::size_t ports;
};
constexpr Places places(Family family) {
  return family == Family::kIp4 ? Places{kGre + 12, kGre + 16, kGre + 20}
                                : Places{kGre + 8, kGre + 24, kGre + 40};
}

std::uint8_t hop_limit_of(Bytes full, Family family) {
  return full[family == Family::kIp4 ? kGre + 8 : kGre + 7];
}

// Writes one after the other; the room is known to be large enough.
class Pen {
 public:
  explicit Pen(MutableBytes room) : room_(room) {}
  void bytes(Bytes value) {
    std::copy(value.begin(), value.end(), room_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += value.size();
  }
  void u8(std::uint8_t value) { room_[at_++] = value; }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  MutableBytes room_;
  std::size_t at_ = 0;
};

}  // namespace

std::uint8_t traffic_class_of(Bytes full) {
  return full[kGre] >> 4 == 4 ? full[kGre + 1]
                              : static_cast<std::uint8_t>(full[kGre] << 4 | full[kGre + 1] >> 4);
}

const char* to_string(MediaForm form) {
  switch (form) {
    case MediaForm::kSixInFour:
      return "6in4";
    case MediaForm::kAyiya:
      return "ayiya";
    case MediaForm::kFull:
      return "full";
    case MediaForm::kCompact:
      return "compact";
    case MediaForm::kFragments:
      return "fragments";
  }
  return "";
}

std::size_t packet_size(MediaForm form, Family family, std::size_t payload) {
  switch (form) {
    case MediaForm::kSixInFour:
      return wire::inner_header_size(family) + payload;
    case MediaForm::kAyiya:
      return kAyiya + wire::inner_header_size(family) + payload;
    case MediaForm::kFull:
      return kGre + wire::inner_header_size(family) + payload;
    case MediaForm::kCompact:
      return kGre + kCompact + payload;
    case MediaForm::kFragments: {
      const std::size_t first = first_part(family, payload);
      return kGre + kCompact + std::max(addresses_size(family) + first, payload - first);
    }
  }
  return 0;
}

MediaForm form_for(Family family, std::size_t payload, std::size_t limit) {
  for (const MediaForm form : {MediaForm::kFull, MediaForm::kCompact}) {
    if (packet_size(form, family, payload) <= limit) {
      return form;
    }
  }
  return payload < 2 ? MediaForm::kCompact : MediaForm::kFragments;
}

Result<FullFrame> look_at_frame(Bytes full) {
  if (full.size() <= kGre) {
    return ParseError::kTruncated;
  }
  FullFrame frame;
  if (u16_at(full, 0) != 0x3000 || (full[kGre] >> 4 != 4 && full[kGre] >> 4 != 6)) {
    return ParseError::kBadValue;
  }
  frame.family = full[kGre] >> 4 == 4 ? Family::kIp4 : Family::kIp6;
  const std::size_t headers = kGre + wire::inner_header_size(frame.family);
  if (full.size() < headers) {
    return ParseError::kTruncated;
  }
  frame.sequence = static_cast<std::uint32_t>(u16_at(full, 8)) << 16 | u16_at(full, 10);
  frame.payload = full.size() - headers;
  return frame;
}

Result<CompactPackets> to_compact(Bytes full, MediaForm form, MutableBytes room) {
  const auto frame = look_at_frame(full);
  if (!frame) {
    return frame.error();
  }
  if (frame->payload > kMaxCompactPayload) {
    return ParseError::kBadLength;
  }
  assert(form != MediaForm::kFull && room.size() >= kCompactRoom);
  const Family family = frame->family;
  const Places at = places(family);
  const bool whole = form == MediaForm::kCompact || frame->payload < 2;
  const std::uint8_t count = whole ? 1 : kFragmentCount;
  Bytes rest = full.last(frame->payload);
  CompactPackets out;
  Pen pen(room);
  for (std::uint8_t index = 0; index < count; ++index) {
    const std::size_t begin = pen.at();
    pen.u16(0x3000);
    pen.u16(wire::kGreCompact);
    pen.bytes(full.subspan(4, 8));  // key, sequence number
    pen.bytes(full.subspan(at.ports, 4));
    pen.u8(traffic_class_of(full));
    pen.u8(hop_limit_of(full, family));
    pen.u8(index);
    pen.u8(count);
    std::size_t part = rest.size();
    if (!whole && index == 0) {
      pen.u16(family == Family::kIp4 ? wire::kGreIp4 : wire::kGreIp6);
      pen.bytes(full.subspan(at.source, address_size(family)));
      pen.bytes(full.subspan(at.group, address_size(family)));
      part = first_part(family, rest.size());
    }
    pen.bytes(rest.first(part));
    rest = rest.subspan(part);
    out.packets[out.count++] = Bytes(room.subspan(begin, pen.at() - begin));
  }
  return out;
}

Result<CompactPacket> decode_compact(const InnerPacket& inner) {
  Reader r(inner.payload);
  CompactPacket packet;
  packet.flow = FlowId{inner.key};
  packet.sequence = inner.sequence;
  packet.source_port = r.u16();
  packet.destination_port = r.u16();
  packet.traffic_class = r.u8();
  packet.hop_limit = r.u8();
  packet.index = r.u8();
  packet.count = r.u8();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (packet.count == 0 || packet.count > kFragmentCount || packet.index >= packet.count) {
    return ParseError::kBadValue;
  }
  if (packet.count > 1 && packet.index == 0) {
    const std::uint16_t type = r.u16();
    if (!r.failed() && type != wire::kGreIp4 && type != wire::kGreIp6) {
      return ParseError::kBadValue;
    }
    const std::size_t size = address_size(type == wire::kGreIp4 ? Family::kIp4 : Family::kIp6);
    const Bytes source = r.take(size);
    const Bytes group = r.take(size);
    if (r.failed()) {
      return ParseError::kTruncated;
    }
    packet.addresses = FlowAddresses{*IpAddress::from_bytes(source), *IpAddress::from_bytes(group)};
    if (!packet.addresses->group.is_multicast()) {
      return ParseError::kBadValue;
    }
  }
  packet.part = r.rest();
  if (packet.count > 1 && packet.part.empty()) {
    return ParseError::kTruncated;
  }
  if (packet.part.size() > kMaxCompactPayload) {
    return ParseError::kBadLength;
  }
  return packet;
}

}  // namespace hearthcast::tunnel
