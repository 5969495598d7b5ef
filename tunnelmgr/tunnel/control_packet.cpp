#include "tunnelmgr/tunnel/control_packet.hpp"

#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kKindFragment = 0;
constexpr std::uint8_t kKindAcknowledgement = 1;

void write_start(Writer& w, std::uint8_t kind, std::uint32_t message_id, std::uint16_t index) {
  w.u16(0);  // GRE without checksum, key and sequence number
  w.u16(wire::kGreControl);
  w.u8(kVersion);
  w.u8(kind);
  w.u32(message_id);
  w.u16(index);
}

}  // namespace

Result<ControlPacket> decode_control_packet(Bytes payload) {
  Reader r(payload);
  const auto version = r.u8();
  const auto kind = r.u8();
  const auto message_id = r.u32();
  const auto index = r.u16();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (version != kVersion) {
    return ParseError::kUnsupported;
  }
  if (message_id == 0) {  // ids count from one
    return ParseError::kBadValue;
  }
  if (kind == kKindAcknowledgement) {
    return ControlPacket{Acknowledgement{message_id, index}};
  }
  if (kind != kKindFragment) {
    return ParseError::kUnknownType;
  }
  const auto count = r.u16();
  if (r.failed() || r.left() == 0) {
    return ParseError::kTruncated;
  }
  if (count == 0 || count > kMaxFragments || index >= count) {
    return ParseError::kBadValue;
  }
  const bool last = index + 1 == count;
  if (r.left() > kFragmentSize || (!last && r.left() != kFragmentSize)) {
    return ParseError::kBadLength;
  }
  return ControlPacket{Fragment{message_id, index, count, r.rest()}};
}

Buffer encode(const Fragment& fragment) {
  Buffer out;
  out.reserve(14 + fragment.body.size());
  Writer w(out);
  write_start(w, kKindFragment, fragment.message_id, fragment.index);
  w.u16(fragment.count);
  w.bytes(fragment.body);
  return out;
}

Buffer encode(const Acknowledgement& acknowledgement) {
  Buffer out;
  out.reserve(12);
  Writer w(out);
  write_start(w, kKindAcknowledgement, acknowledgement.message_id, acknowledgement.index);
  return out;
}

}  // namespace hearthcast::tunnel
