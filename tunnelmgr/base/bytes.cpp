#include "tunnelmgr/base/bytes.hpp"

#include <algorithm>

namespace hearthcast {

Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool equal(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Bytes Reader::take(std::size_t count) {
  if (failed_ || count > left()) {
    failed_ = true;
    return {};
  }
  const Bytes part = bytes_.subspan(at_, count);
  at_ += count;
  return part;
}

Bytes Reader::rest() { return take(left()); }

namespace {

// Zero for a view that Reader::take refused.
std::uint64_t big_endian(Bytes octets) {
  std::uint64_t value = 0;
  for (const std::uint8_t octet : octets) {
    value = value << 8 | octet;
  }
  return value;
}

}  // namespace

std::uint8_t Reader::u8() { return static_cast<std::uint8_t>(big_endian(take(1))); }
std::uint16_t Reader::u16() { return static_cast<std::uint16_t>(big_endian(take(2))); }
std::uint32_t Reader::u32() { return static_cast<std::uint32_t>(big_endian(take(4))); }
std::uint64_t Reader::u64() { return big_endian(take(8)); }

void Writer::u8(std::uint8_t value) { out_.push_back(value); }

void Writer::u16(std::uint16_t value) {
  u8(static_cast<std::uint8_t>(value >> 8));
  u8(static_cast<std::uint8_t>(value));
}

void Writer::u32(std::uint32_t value) {
  u16(static_cast<std::uint16_t>(value >> 16));
  u16(static_cast<std::uint16_t>(value));
}

void Writer::u64(std::uint64_t value) {
  u32(static_cast<std::uint32_t>(value >> 32));
  u32(static_cast<std::uint32_t>(value));
}

void Writer::bytes(Bytes value) { out_.insert(out_.end(), value.begin(), value.end()); }

void Writer::zeros(std::size_t count) { out_.resize(out_.size() + count); }

void Writer::patch_u16(std::size_t at, std::uint16_t value) {
  out_.at(at) = static_cast<std::uint8_t>(value >> 8);
  out_.at(at + 1) = static_cast<std::uint8_t>(value);
}

}  // namespace hearthcast
