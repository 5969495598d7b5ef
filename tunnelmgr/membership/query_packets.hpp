// Queries as packets: in the version that the link is set to, and split where the sources of one group do not
// fit one packet.
#pragma once

#include <vector>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/membership/group_state.hpp"
#include "tunnelmgr/membership/timing.hpp"

namespace hearthcast::membership {

struct QueryForm {
  IpAddress source;  // its family is that of the queries
  int version = 2;   // MLD 1, 2; IGMP 1, 2, 3
  std::size_t packet_size = 1500;
};

[[nodiscard]] Buffer general_query(const QueryForm& form, const Timing& timing);

// A specific query about the group, or about sources of it when there are some (RFC 3810 section 5.1.10).
// Sources only in MLDv2 and IGMPv3.
[[nodiscard]] std::vector<Buffer> specific_queries(const QueryForm& form, const Timing& timing,
                                                   const IpAddress& group,
                                                   const std::vector<IpAddress>& sources, bool suppress);

}  // namespace hearthcast::membership
