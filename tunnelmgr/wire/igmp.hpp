// IGMPv1 (RFC 1112), IGMPv2 (RFC 2236) and IGMPv3 (RFC 3376) messages.
//
// Times: IGMP counts the response in tenths of a second; encoding rounds down to what the codes can express.
// Auxiliary data of records and octets behind the last record are skipped.
#pragma once

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::wire {

inline constexpr std::uint8_t kIgmpQuery = 0x11;
inline constexpr std::uint8_t kIgmpV1Report = 0x12;
inline constexpr std::uint8_t kIgmpV2Report = 0x16;
inline constexpr std::uint8_t kIgmpV2Leave = 0x17;
inline constexpr std::uint8_t kIgmpV3Report = 0x22;

// Checks the checksum. kUnknownType for what else IP protocol 2 carries. Whether groups are multicast is not
// checked here.
[[nodiscard]] Result<MembershipMessage> decode_igmp(Bytes message);
// All addresses must be IPv4; at most 65535 records or sources.
[[nodiscard]] Buffer encode_igmp(const MembershipMessage& message);

}  // namespace hearthcast::wire
