// Control packets that are quick, small and sent once: they do not go through the retransmitting transport
// (docs/protocol/tunnel.md). Kind 2, a NACK: the device asks again for media packets that did not come. Kind
// 5, a prelude: the box says which packets from before the device's arrival it sends now.
//
// Nothing here allocates. A packet that is lost is made up for by its sender: a NACK is asked again, a
// prelude is said more than once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::tunnel {

enum class QuickKind : std::uint8_t { kNack = 2, kPrelude = 5 };

// The kind, when what follows the GRE header of a control packet is one of these.
[[nodiscard]] std::optional<QuickKind> quick_kind(Bytes payload);

// Sequence numbers first to first + count - 1 of a flow, modulo 2^32.
struct SequenceRange {
  std::uint32_t first = 0;
  std::uint16_t count = 0;  // never 0 in a packet
  friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

inline constexpr std::size_t kMaxNackRanges = 64;

class Nack {
 public:
  explicit Nack(std::uint32_t flow = 0) : flow_(flow) {}

  [[nodiscard]] std::uint32_t flow() const { return flow_; }  // the GRE key of its media
  [[nodiscard]] std::span<const SequenceRange> ranges() const { return std::span(ranges_).first(size_); }
  [[nodiscard]] std::size_t packets() const;
  // One more number: lengthens the last range when it follows it. False when there is no room.
  bool add(std::uint32_t sequence);
  bool add(const SequenceRange& range);  // as it is

  friend bool operator==(const Nack& a, const Nack& b);

 private:
  std::uint32_t flow_;
  std::size_t size_ = 0;
  std::array<SequenceRange, kMaxNackRanges> ranges_{};
};

struct Prelude {
  std::uint32_t flow = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;  // never 0; what comes live has the number first + count or a later one
  friend bool operator==(const Prelude&, const Prelude&) = default;
};

// `payload` is what follows the GRE header. A NACK is exactly as long as its ranges; octets after a prelude
// are ignored.
[[nodiscard]] Result<Nack> decode_nack(Bytes payload);
[[nodiscard]] Result<Prelude> decode_prelude(Bytes payload);

// Whole GRE packets, header included: views into `room`.
inline constexpr std::size_t kMaxQuickSize = 10 + 6 * kMaxNackRanges;
using QuickRoom = std::array<std::uint8_t, kMaxQuickSize>;
[[nodiscard]] Bytes encode(const Nack& nack, QuickRoom& room);
[[nodiscard]] Bytes encode(const Prelude& prelude, QuickRoom& room);

}  // namespace hearthcast::tunnel
