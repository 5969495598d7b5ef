#include "tunnelmgr/playout/ring.hpp"

#include <algorithm>

namespace hearthcast::playout {

void Ring::append(Bytes octets) {
  if (octets.size() > capacity_) {
    end_ += octets.size() - capacity_;
    octets = octets.last(capacity_);
  }
  const auto at = static_cast<std::size_t>(end_ % capacity_);
  const std::size_t first = std::min(octets.size(), capacity_ - at);
  std::copy_n(octets.begin(), first, octets_.get() + at);
  std::copy(octets.begin() + static_cast<std::ptrdiff_t>(first), octets.end(), octets_.get());
  end_ += octets.size();
}

std::optional<Ring::Pieces> Ring::read(std::uint64_t offset, std::uint64_t until) const {
  if (offset < begin() || offset > end_) {
    return std::nullopt;
  }
  const auto at = static_cast<std::size_t>(offset % capacity_);
  const auto size = static_cast<std::size_t>(std::max(std::min(until, end_), offset) - offset);
  const std::size_t first = std::min(size, capacity_ - at);
  return Pieces{Bytes(octets_.get() + at, first), Bytes(octets_.get(), size - first)};
}

}  // namespace hearthcast::playout
