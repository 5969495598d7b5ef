// Small transport streams for tests.
#pragma once

#include <algorithm>
#include <map>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/wire/ts.hpp"

namespace hearthcast::playout {

inline constexpr std::uint16_t kVideoPid = 256;
inline constexpr std::uint16_t kAudioPid = 257;

class TsMaker {
 public:
  Buffer table() { return packet(wire::kTsPidPat, true, false, {0, 0, 0xB0}); }
  Buffer picture(bool random_access) { return packet(kVideoPid, true, random_access, {0, 0, 1, 0xE0}); }
  Buffer sound() { return packet(kAudioPid, true, true, {0, 0, 1, 0xC0}); }
  Buffer more() { return packet(kVideoPid, false, false, {1, 2, 3, 4}); }
  void lose(std::uint16_t pid) { ++continuity_[pid]; }

 private:
  Buffer packet(std::uint16_t pid, bool start, bool random_access, const Buffer& payload) {
    Buffer out{wire::kTsSync,
               static_cast<std::uint8_t>((start ? 0x40 : 0) | pid >> 8),
               static_cast<std::uint8_t>(pid & 0xFF),
               static_cast<std::uint8_t>(0x30 | (continuity_[pid]++ & 0x0F)),
               1,
               static_cast<std::uint8_t>(random_access ? 0x40 : 0)};
    out.insert(out.end(), payload.begin(), payload.end());
    out.resize(wire::kTsPacketSize, 0xFF);
    return out;
  }
  std::map<std::uint16_t, unsigned> continuity_;
};

inline Buffer joined(std::initializer_list<Buffer> packets) {
  Buffer out;
  for (const auto& packet : packets) {
    out.insert(out.end(), packet.begin(), packet.end());
  }
  return out;
}

}  // namespace hearthcast::playout
