#include "tunnelmgr/tunnel/repair_ring.hpp"

#include <cassert>

namespace hearthcast::tunnel {

RepairRing::RepairRing(std::size_t size, std::size_t packets) : size_(size), packets_(packets) {
  assert((packets & (packets - 1)) == 0);
}

MutableBytes RepairRing::room(std::size_t size) {
  assert(size <= size_ / 4);
  if (!octets_) {
    octets_ = std::make_unique_for_overwrite<std::uint8_t[]>(size_);
    entries_ = std::make_unique_for_overwrite<Entry[]>(packets_);
  }
  if (const std::uint64_t at = end_ % size_; at + size > size_) {
    end_ += size_ - at;  // the rest at the end is too short: packets are contiguous
  }
  reserved_ = end_ + size;
  let_go();
  return {octets_.get() + end_ % size_, size};
}

// Packets that the reserved memory overlaps are no more.
void RepairRing::let_go() {
  while (held_ > 0 && entry(oldest()).offset + size_ < reserved_) {
    --held_;
  }
}

void RepairRing::commit(std::uint32_t sequence, Bytes packet) {
  const std::uint8_t* start = octets_.get() + end_ % size_;
  assert(packet.data() >= start && packet.data() + packet.size() <= start + (reserved_ - end_));
  if (sequence != next_) {
    held_ = 0;
  } else if (held_ == packets_) {
    --held_;
  }
  const auto offset = end_ + static_cast<std::uint64_t>(packet.data() - start);
  entries_[sequence & (packets_ - 1)] = {offset, static_cast<std::uint32_t>(packet.size())};
  next_ = sequence + 1;
  ++held_;
  end_ = offset + packet.size();
}

Bytes RepairRing::find(std::uint32_t sequence) const {
  if (!holds(sequence)) {
    return {};
  }
  const auto& found = entry(sequence);
  return {octets_.get() + found.offset % size_, found.size};
}

}  // namespace hearthcast::tunnel
