// What a listener wants, told unasked: the packets that report the current state of its groups, and the one
// that reports a join.
//
// Current-state records (RFC 3810 section 5.2.12, RFC 3376 section 4.2.12) change nothing at a router that
// knew it all, and tell all to one that had forgotten.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tunnelmgr/base/source_filter.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::wire {

// Whole IP packets of the family of `own`, their source; groups of the other family, of link scope, and those
// that want nothing are left out. version: 3 (IGMP) or 2 (MLD) tells sources; an older one names each group
// in a packet of its own, as old hosts do. Packets have at most max_packet octets: an INCLUDE list that is
// longer goes out in parts, an EXCLUDE list is cut, which asks for more, not less (RFC 3810 section 5.2.15).
[[nodiscard]] std::vector<Buffer> encode_state_report(const std::map<IpAddress, SourceFilter>& groups,
                                                      const IpAddress& own, int version,
                                                      std::size_t max_packet = 1280);

// The whole IP packet that tells a change of what is wanted of a group (the records of RFC 3376 section 5.1,
// RFC 3810 section 6.1), where more is wanted than before: ALLOW for sources, CHANGE_TO_EXCLUDE for a group
// that is wanted from any. Sources that do not fit into max_packet are left out of an ALLOW, for whoever
// reports the rest, and of an EXCLUDE list, which asks for more. An older version names the group, when
// nothing of it was wanted before. nullopt: nothing more is wanted, or a source list takes the place of an
// EXCLUDE list; the group is none of that family beyond the link; MLD without a link-local address.
[[nodiscard]] std::optional<Buffer> encode_join_report(const IpAddress& group, const SourceFilter& before,
                                                       const SourceFilter& wanted, const IpAddress& own,
                                                       int version, std::size_t max_packet = 1280);

}  // namespace hearthcast::wire
