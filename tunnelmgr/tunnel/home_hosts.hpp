// The control message `home_hosts` (docs/protocol/tunnel.md): where in the home network the device may go.
#pragma once

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/home_host.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::tunnel {

[[nodiscard]] Buffer encode_home_hosts(const HomeHosts& hosts);
// kUnknownType for another message. Hosts of a form that is not known, repeated ones, and those beyond
// kMaxHomeHosts are passed over.
[[nodiscard]] Result<HomeHosts> decode_home_hosts(Bytes body);

}  // namespace hearthcast::tunnel
