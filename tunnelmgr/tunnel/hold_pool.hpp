// Memory for payloads that wait for an earlier one. Taken once; touched only as far as it was used, because a
// slot that was freed last is used first. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::tunnel {

class HoldPool {
 public:
  using Slot = std::uint16_t;
  static constexpr std::size_t kSlots = 4096;  // five seconds of 8 Mbit/s
  static constexpr std::size_t kSlotSize = 1536;

  HoldPool() : octets_(std::make_unique_for_overwrite<std::uint8_t[]>(kSlots * kSlotSize)), free_(kSlots) {
    for (std::size_t n = 0; n < kSlots; ++n) {
      free_[n] = static_cast<Slot>(kSlots - 1 - n);
    }
  }

  // A copy of the payload. nullopt: no slot is free, or it is longer than one.
  [[nodiscard]] std::optional<Slot> put(Bytes payload) {
    if (free_.empty() || payload.size() > kSlotSize) {
      return std::nullopt;
    }
    const Slot slot = free_.back();
    free_.pop_back();
    std::copy(payload.begin(), payload.end(), octets_.get() + slot * kSlotSize);
    return slot;
  }
  // The first `size` octets of a slot; valid until it is put to other use.
  [[nodiscard]] Bytes get(Slot slot, std::size_t size) const {
    return {octets_.get() + slot * kSlotSize, size};
  }
  void release(Slot slot) { free_.push_back(slot); }  // never grows: room for all slots was made

  [[nodiscard]] std::size_t used() const { return kSlots - free_.size(); }

 private:
  std::unique_ptr<std::uint8_t[]> octets_;
  std::vector<Slot> free_;
};

}  // namespace hearthcast::tunnel
