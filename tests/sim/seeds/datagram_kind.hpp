// What a bystander sees in a datagram of the tunnel's port: STUN (RFC 8489 section 5) or a DTLS record (RFC
// 6347 section 4.1), from their headers alone.
#pragma once

#include <algorithm>
#include <array>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::sim {

[[nodiscard]] inline bool is_stun(Bytes d) { return d.size() >= 20 && d[0] < 4; }
[[nodiscard]] inline bool is_request(Bytes d) { return is_stun(d) && d[0] == 0x00 && d[1] == 0x01; }
[[nodiscard]] inline bool is_success(Bytes d) { return is_stun(d) && d[0] == 0x01 && d[1] == 0x01; }
[[nodiscard]] inline bool is_record(Bytes d) { return d.size() > 13 && d[0] == 23; }  // application data
[[nodiscard]] inline bool is_handshake(Bytes d) { return d.size() > 13 && (d[0] == 20 || d[0] == 22); }

[[nodiscard]] inline std::array<std::uint8_t, 12> transaction_of(Bytes stun) {
  std::array<std::uint8_t, 12> id{};
  std::ranges::copy(stun.subspan(8, 12), id.begin());
  return id;
}

}  // namespace hearthcast::sim
