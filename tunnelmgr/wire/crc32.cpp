#include "tunnelmgr/wire/crc32.hpp"

#include <array>

namespace hearthcast::wire {
namespace {

constexpr std::array<std::uint32_t, 256> reflected_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320 : value >> 1;
    }
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> forward_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 0x80000000) != 0 ? value << 1 ^ 0x04C11DB7 : value << 1;
    }
    table[i] = value;
  }
  return table;
}

constexpr auto kReflected = reflected_table();
constexpr auto kForward = forward_table();

}  // namespace

std::uint32_t crc32(Bytes bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t octet : bytes) {
    crc = crc >> 8 ^ kReflected[(crc ^ octet) & 0xFF];
  }
  return ~crc;
}

std::uint32_t crc32_mpeg2(Bytes bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t octet : bytes) {
    crc = crc << 8 ^ kForward[crc >> 24 ^ octet];
  }
  return crc;
}

}  // namespace hearthcast::wire
