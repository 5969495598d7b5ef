// Which upstream serves which group and source, and where packets of a source are expected: reverse path by
// rules and addresses, since a proxy has no routing protocol.
#pragma once

#include <map>
#include <optional>

#include "appliance/proxy/member.hpp"
#include "appliance/proxy/policy.hpp"

namespace hearthcast::proxy {

// The first usable upstream that may carry it; while none is usable, the first present one, so that a cable
// pulled for a moment moves nothing. nullptr: none may. Without a source: the first that may carry any.
[[nodiscard]] const Member* upstream_for(const Members& members, const Policy& policy, const IpAddress& group,
                                         const std::optional<IpAddress>& source);

// What each upstream is to be told so that together they bring what is wanted. A source that is named comes
// from its upstream; whoever wants any source is joined on every upstream that serves some source of the
// group.
[[nodiscard]] std::map<InterfaceIndex, SourceFilter> split(const Members& members, const Policy& policy,
                                                           const IpAddress& group,
                                                           const SourceFilter& wanted);

// The only interface that packets of this source are taken from: the one whose link the source is on, else
// the upstream that serves it. nullptr: none, and always for sources that are never forwarded.
[[nodiscard]] const Member* expected_input(const Members& members, const Policy& policy,
                                           const IpAddress& group, const IpAddress& source);

}  // namespace hearthcast::proxy
