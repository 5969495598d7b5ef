// UDP presence: what a STUN Binding request on the presence port gets. Only a request that proves a
// username's password is answered, and never by more octets than it has. Source:
// docs/protocol/introduction.md.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tunnelmgr/base/address.hpp"
#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::rendezvous {

struct PresenceAnswer {
  std::string username;  // whose mapping `from` is
  Buffer datagram;       // to send back; empty when it would be larger than the request
};

// password: of a username, or null. nullopt: to be dropped without an answer.
[[nodiscard]] std::optional<PresenceAnswer> answer_presence(
    Bytes datagram, const Endpoint& from, const Crypto& crypto,
    const std::function<const std::string*(const std::string& username)>& password);

}  // namespace hearthcast::rendezvous
