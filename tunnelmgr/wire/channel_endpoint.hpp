// How a peer behind this end's relay is written where paths are told apart by their endpoint:
// [100::]:CHANNEL, with the number of its TURN channel for a port. The address is of the prefix that is
// discarded everywhere (RFC 6666), so it is nobody's, and is never spoken to on the wire.
#pragma once

#include <optional>

#include "tunnelmgr/base/address.hpp"

namespace hearthcast::wire {

[[nodiscard]] Endpoint channel_endpoint(std::uint16_t channel);
// nullopt: an endpoint of the network.
[[nodiscard]] std::optional<std::uint16_t> channel_of(const Endpoint& endpoint);

}  // namespace hearthcast::wire
