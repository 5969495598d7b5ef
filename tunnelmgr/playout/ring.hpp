// The last octets of one stream, for any number of readers, each at its own place. A writer never waits: a
// reader that falls behind by more than the capacity is told so and has lost its place.
//
// Offsets count octets since the ring was made and never wrap (64 bits). Not thread-safe. append() does not
// allocate; the memory is touched only as far as it was used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::playout {

class Ring {
 public:
  explicit Ring(std::size_t capacity)
      : capacity_(capacity), octets_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity)) {}

  void append(Bytes octets);

  [[nodiscard]] std::uint64_t begin() const { return end_ > capacity_ ? end_ - capacity_ : 0; }
  [[nodiscard]] std::uint64_t end() const { return end_; }

  // What follows `offset`, in at most two pieces (the second continues the first); both empty when the reader
  // has all. Valid until the next append(). nullopt: what was at `offset` is gone.
  using Pieces = std::array<Bytes, 2>;
  [[nodiscard]] std::optional<Pieces> read(std::uint64_t offset) const { return read(offset, end_); }
  // The same, but nothing from `until` on.
  [[nodiscard]] std::optional<Pieces> read(std::uint64_t offset, std::uint64_t until) const;

 private:
  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> octets_;
  std::uint64_t end_ = 0;
};

}  // namespace hearthcast::playout
