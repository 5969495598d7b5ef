#include "tunnelmgr/wire/checksum.hpp"

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

// Every payload octet of the data plane passes here once: add 32 bits at a time in the machine's own order
// and swap once at the end, which RFC 1071 section 2 (B) allows.
void Checksum::add(Bytes bytes) {
  std::uint64_t native = 0;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, 4);
    native += word;
  }
  std::uint32_t tail = 0;
  if (at < bytes.size()) {
    std::memcpy(&tail, bytes.data() + at, bytes.size() - at);
  }
  native = fold(native + tail);
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
