#include "tunnelmgr/tunnel/retransmitter.hpp"

#include <algorithm>

namespace hearthcast::tunnel {

bool Retransmitter::is_wanted(std::uint32_t sequence) const {
  const auto at = bit(sequence);
  return bits_ && ((*bits_)[at / kWordBits] >> (at % kWordBits) & 1U) != 0;
}

void Retransmitter::want(std::uint32_t sequence) {
  if (is_wanted(sequence)) {
    return;
  }
  if (!bits_) {
    bits_ = std::make_unique<Bits>();
  }
  const auto at = bit(sequence);
  (*bits_)[at / kWordBits] |= std::uint64_t{1} << (at % kWordBits);
  // Compared by distance, so that numbers may wrap.
  if (wanted_ == 0 || sequence - lowest_ >= 0x80000000U) {
    lowest_ = sequence;
  }
  ++wanted_;
}

void Retransmitter::unwant(std::uint32_t sequence) {
  const auto at = bit(sequence);
  (*bits_)[at / kWordBits] &= ~(std::uint64_t{1} << (at % kWordBits));
  --wanted_;
}

void Retransmitter::on_nack(const Nack& nack, const RepairRing& ring) {
  ++counters_.nacks;
  forget_gone(ring);
  for (const auto& range : nack.ranges()) {
    counters_.asked += range.count;
    // The part that the ring holds, found without walking: a range may be long and far away.
    const std::uint32_t from_oldest = range.first - ring.oldest();
    std::uint32_t first = range.first;
    std::uint32_t count = range.count;
    if (from_oldest >= 0x80000000U) {  // begins before the oldest
      const std::uint32_t before = std::min(ring.oldest() - range.first, count);
      first += before;
      count -= before;
    }
    const std::uint32_t ahead = ring.next() - first;  // how many there are from first on
    count = ahead >= 0x80000000U ? 0 : std::min(count, ahead);
    counters_.gone += range.count - count;
    const std::uint32_t looked_at = std::min(count, patience_);
    patience_ -= looked_at;
    counters_.refused += count - looked_at;
    for (std::uint32_t n = 0; n < looked_at; ++n) {
      want(first + n);
    }
  }
}

void Retransmitter::forget() {
  if (bits_) {
    bits_->fill(0);
  }
  wanted_ = 0;
  prelude_left_ = 0;
}

void Retransmitter::begin_prelude(std::uint32_t first, std::uint32_t count) {
  prelude_next_ = first;
  prelude_left_ = count;
}

void Retransmitter::on_live(std::size_t octets) {
  credit_ = std::min<std::uint64_t>(credit_ + octets, std::max(octets, kBurst));
  budget_ = std::min(budget_ + octets * kBudgetPercent / 100, saving_);
  patience_ = static_cast<std::uint32_t>(
      std::min<std::size_t>(patience_ + octets / kOctetsPerNumber, kRepairRingPackets));
}

void Retransmitter::set_rate(std::uint64_t octets_per_second) {
  saving_ = std::max(octets_per_second, kFirstBudget);
  budget_ = std::min(budget_, saving_);
}

// Numbers that the ring let go share their bits with newer ones: they go first.
void Retransmitter::forget_gone(const RepairRing& ring) {
  const std::uint32_t gone = ring.oldest() - lowest_;
  if (wanted_ > 0 && gone < 0x80000000U) {
    const std::uint32_t limit = std::min<std::uint32_t>(gone, kRepairRingPackets);
    for (std::uint32_t n = 0; n < limit && wanted_ > 0; ++n) {
      if (is_wanted(lowest_ + n)) {
        unwant(lowest_ + n);
        ++counters_.gone;
      }
    }
    lowest_ = ring.oldest();
  }
}

std::size_t Retransmitter::take(const RepairRing& ring, std::span<Bytes> out) {
  forget_gone(ring);
  const auto repaired = take_wanted(ring, out);
  return repaired + take_prelude(ring, out.subspan(repaired));
}

std::size_t Retransmitter::take_wanted(const RepairRing& ring, std::span<Bytes> out) {
  std::size_t count = 0;
  while (wanted_ > 0 && count < out.size()) {
    while (!is_wanted(lowest_)) {
      ++lowest_;
    }
    const auto packet = ring.find(lowest_);
    if (packet.size() > credit_) {
      break;  // after more live traffic
    }
    unwant(lowest_++);
    if (packet.empty()) {
      ++counters_.gone;
      continue;
    }
    if (packet.size() > budget_) {
      ++counters_.refused;
      continue;
    }
    credit_ -= packet.size();
    budget_ -= packet.size();
    ++counters_.sent;
    counters_.octets += packet.size();
    out[count++] = packet;
  }
  return count;
}

std::size_t Retransmitter::take_prelude(const RepairRing& ring, std::span<Bytes> out) {
  std::size_t count = 0;
  while (prelude_left_ > 0 && count < out.size()) {
    const auto packet = ring.find(prelude_next_);
    if (packet.size() > credit_) {
      break;
    }
    ++prelude_next_;
    --prelude_left_;
    if (packet.empty()) {
      continue;  // the ring has overtaken it: the device skips it, as any loss
    }
    credit_ -= packet.size();
    ++counters_.prelude;
    out[count++] = packet;
  }
  return count;
}

}  // namespace hearthcast::tunnel
