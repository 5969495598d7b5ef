// MLDv1 (RFC 2710) and MLDv2 (RFC 3810) as ICMPv6 messages.
//
// Times: milliseconds for the response, seconds for the interval; encoding rounds down to what the codes can
// express. Auxiliary data of records and octets behind the last record are skipped (RFC 3810 section 5.2.11).
#pragma once

#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/wire/icmp6.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::wire {

inline constexpr std::uint8_t kMldQuery = 130;
inline constexpr std::uint8_t kMldV1Report = 131;
inline constexpr std::uint8_t kMldV1Done = 132;
inline constexpr std::uint8_t kMldV2Report = 143;

// kUnknownType for an ICMPv6 message that is not MLD. Whether groups are multicast is not checked here.
[[nodiscard]] Result<MembershipMessage> decode_mld(const Icmp6Message& icmp);

// The type and body of a message; the caller wraps them with encode_icmp6(). All addresses must be IPv6 (the
// group of a general query may be either family's unspecified address); at most 65535 records or sources.
struct MldEncoding {
  std::uint8_t type = 0;
  Buffer body = {};
};
[[nodiscard]] MldEncoding encode_mld(const MembershipMessage& message);

}  // namespace hearthcast::wire
