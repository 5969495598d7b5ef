// The last packets of one flow as they were framed, by sequence number: one ring for all viewers, from which
// lost packets are sent again and late joiners get what came before.
//
// Bounded: kRepairRingSize octets and kRepairRingPackets packets, whichever is less; the oldest go. Memory is
// taken with the first packet, once, and touched only as far as it was used. Nothing allocates per packet.
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::tunnel {

inline constexpr std::size_t kRepairRingSize = std::size_t{4} << 20;  // four seconds of 8 Mbit/s
inline constexpr std::size_t kRepairRingPackets = 4096;

class RepairRing {
 public:
  // `packets`: a power of two.
  explicit RepairRing(std::size_t size = kRepairRingSize, std::size_t packets = kRepairRingPackets);

  // Memory to frame the next packet in, contiguous, at most a quarter of the ring; what commit() does not
  // take is used again. Views of the oldest packets end with this call.
  [[nodiscard]] MutableBytes room(std::size_t size);
  // `packet` lies in the last room() and has this number. Numbers follow one another; after a jump the ring
  // begins anew with this packet.
  void commit(std::uint32_t sequence, Bytes packet);
  void clear() { held_ = 0; }

  // Empty when the packet is gone, or never was. Valid until a room() comes round to it.
  [[nodiscard]] Bytes find(std::uint32_t sequence) const;

  [[nodiscard]] std::uint32_t next() const { return next_; }            // after the newest
  [[nodiscard]] std::uint32_t oldest() const { return next_ - held_; }  // next() when empty
  [[nodiscard]] std::uint32_t held() const { return held_; }            // packets
  [[nodiscard]] bool holds(std::uint32_t sequence) const { return sequence - oldest() < held_; }

 private:
  struct Entry {
    std::uint64_t offset;  // in all octets ever laid out
    std::uint32_t size;
  };
  [[nodiscard]] const Entry& entry(std::uint32_t sequence) const {
    return entries_[sequence & (packets_ - 1)];
  }
  void let_go();

  std::size_t size_;
  std::size_t packets_;
  std::unique_ptr<std::uint8_t[]> octets_;  // none before the first room()
  std::unique_ptr<Entry[]> entries_;        // of what is held; the rest was never written
  std::uint64_t end_ = 0;                   // where the next room begins, unless it would wrap
  std::uint64_t reserved_ = 0;              // what may be written to: up to here
  std::uint32_t next_ = 0;
  std::uint32_t held_ = 0;
};

}  // namespace hearthcast::tunnel
