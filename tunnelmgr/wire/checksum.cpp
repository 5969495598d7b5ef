#include "tunnelmgr/wire/checksum.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace hearthcast::wire {
namespace {

std::uint64_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) {
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return sum;
}

}  // namespace

// Every payload octet of the data plane passes here once: add in the machine's own order and swap once at the
// end, which RFC 1071 section 2 (B) allows; four words at a time, whose sums do not wait for one another.
void Checksum::add(Bytes bytes) {
  std::array<std::uint64_t, 4> sums{};
  std::size_t at = 0;
  for (; at + 16 <= bytes.size(); at += 16) {
    std::array<std::uint32_t, 4> words;
    std::memcpy(words.data(), bytes.data() + at, sizeof words);
    for (std::size_t i = 0; i < words.size(); ++i) {
      sums[i] += words[i];
    }
  }
  std::array<std::uint32_t, 4> tail{};
  if (at < bytes.size()) {
    std::memcpy(tail.data(), bytes.data() + at, bytes.size() - at);
  }
  std::uint64_t native = 0;
  for (std::size_t i = 0; i < tail.size(); ++i) {
    native += sums[i] + tail[i];
  }
  native = fold(native);
  if constexpr (std::endian::native == std::endian::little) {
    native = (native >> 8 | native << 8) & 0xFFFF;
  }
  sum_ += native;
}

void Checksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                 std::uint32_t length) {
  add(source.bytes());
  add(destination.bytes());
  sum_ += (length >> 16) + (length & 0xFFFF);
  sum_ += protocol;
}

std::uint16_t Checksum::value() const { return static_cast<std::uint16_t>(~fold(sum_)); }

std::uint16_t checksum(Bytes bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.value();
}

}  // namespace hearthcast::wire
