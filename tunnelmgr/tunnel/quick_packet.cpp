#include "tunnelmgr/tunnel/quick_packet.hpp"

#include <algorithm>
#include <limits>

#include "tunnelmgr/wire/gre.hpp"

namespace hearthcast::tunnel {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kRangeSize = 6;

// Big-endian numbers one after another into memory that is large enough.
class Pen {
 public:
  explicit Pen(QuickRoom& room) : room_(room) {}
  void u8(std::uint8_t value) { room_[at_++] = value; }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
  }
  [[nodiscard]] Bytes written() const { return Bytes(room_).first(at_); }

 private:
  QuickRoom& room_;
  std::size_t at_ = 0;
};

void start(Pen& pen, QuickKind kind, std::uint32_t flow) {
  pen.u16(0);  // GRE without checksum, key and sequence number
  pen.u16(wire::kGreControl);
  pen.u8(kVersion);
  pen.u8(static_cast<std::uint8_t>(kind));
  pen.u32(flow);
}

}  // namespace

std::optional<QuickKind> quick_kind(Bytes payload) {
  if (payload.size() < 2 || payload[0] != kVersion) {
    return std::nullopt;
  }
  const auto kind = static_cast<QuickKind>(payload[1]);
  return kind == QuickKind::kNack || kind == QuickKind::kPrelude ? std::optional(kind) : std::nullopt;
}

std::size_t Nack::packets() const {
  std::size_t sum = 0;
  for (const auto& range : ranges()) {
    sum += range.count;
  }
  return sum;
}

bool Nack::add(std::uint32_t sequence) {
  if (size_ > 0) {
    auto& last = ranges_[size_ - 1];
    if (last.first + last.count == sequence && last.count < std::numeric_limits<std::uint16_t>::max()) {
      ++last.count;
      return true;
    }
  }
  return add({sequence, 1});
}

bool Nack::add(const SequenceRange& range) {
  if (size_ == ranges_.size()) {
    return false;
  }
  ranges_[size_++] = range;
  return true;
}

bool operator==(const Nack& a, const Nack& b) {
  return a.flow_ == b.flow_ && std::ranges::equal(a.ranges(), b.ranges());
}

Result<Nack> decode_nack(Bytes payload) {
  Reader r(payload);
  const auto version = r.u8();
  const auto kind = r.u8();
  const auto flow = r.u32();
  if (r.failed() || r.left() == 0) {
    return ParseError::kTruncated;
  }
  if (version != kVersion || kind != static_cast<std::uint8_t>(QuickKind::kNack)) {
    return ParseError::kUnsupported;
  }
  if (r.left() % kRangeSize != 0 || r.left() / kRangeSize > kMaxNackRanges) {
    return ParseError::kBadLength;
  }
  Nack nack(flow);
  while (r.left() > 0) {
    const auto first = r.u32();
    const auto count = r.u16();
    if (count == 0) {
      return ParseError::kBadValue;
    }
    (void)nack.add({first, count});
  }
  return nack;
}

Result<Prelude> decode_prelude(Bytes payload) {
  Reader r(payload);
  const auto version = r.u8();
  const auto kind = r.u8();
  Prelude prelude;
  prelude.flow = r.u32();
  prelude.first = r.u32();
  prelude.count = r.u32();
  if (r.failed()) {
    return ParseError::kTruncated;
  }
  if (version != kVersion || kind != static_cast<std::uint8_t>(QuickKind::kPrelude)) {
    return ParseError::kUnsupported;
  }
  if (prelude.count == 0) {
    return ParseError::kBadValue;
  }
  return prelude;
}

Bytes encode(const Nack& nack, QuickRoom& room) {
  Pen pen(room);
  start(pen, QuickKind::kNack, nack.flow());
  for (const auto& range : nack.ranges()) {
    pen.u32(range.first);
    pen.u16(range.count);
  }
  return pen.written();
}

Bytes encode(const Prelude& prelude, QuickRoom& room) {
  Pen pen(room);
  start(pen, QuickKind::kPrelude, prelude.flow);
  pen.u32(prelude.first);
  pen.u32(prelude.count);
  return pen.written();
}

}  // namespace hearthcast::tunnel
