// CRC-32 of ISO 3309 (the one of Ethernet), which STUN's FINGERPRINT uses, and the one of MPEG-2 tables.
#pragma once

#include <cstdint>

#include "tunnelmgr/base/bytes.hpp"

namespace hearthcast::wire {

[[nodiscard]] std::uint32_t crc32(Bytes bytes);
// Polynomial 0x04C11DB7, most significant bit first, no final inversion (ISO/IEC 13818-1 annex A): 0 over a
// section that ends with its own CRC.
[[nodiscard]] std::uint32_t crc32_mpeg2(Bytes bytes);

}  // namespace hearthcast::wire
