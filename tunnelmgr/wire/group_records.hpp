// Parts that MLDv2 and IGMPv3 messages have in common on the wire: addresses, group records, the tail of a
// query.
#pragma once

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/result.hpp"
#include "tunnelmgr/wire/membership_message.hpp"

namespace hearthcast::wire {

// The unspecified address when the input is short.
[[nodiscard]] IpAddress read_address(Reader& r, Family family);
// False when the input cannot hold `count` addresses.
[[nodiscard]] bool read_sources(Reader& r, Family family, std::size_t count, std::vector<IpAddress>& sources);
// From the reserved two octets before the number of records on.
[[nodiscard]] Result<MembershipMessage> read_report(Reader& r, Family family);

void write_report(Writer& w, const MembershipReport& report);
// Flags, robustness, interval and sources of a query.
void write_query_tail(Writer& w, const MembershipQuery& query);

}  // namespace hearthcast::wire
