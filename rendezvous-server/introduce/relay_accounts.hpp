// Credentials for TURN relays that end by themselves: what coturn's `use-auth-secret` expects. Rendezvous and
// relays share a secret and nothing else: username is "END:ID", END in seconds of Unix time, and the password
// the base64 of HMAC-SHA1(secret, username). Pure; the secret goes into no text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/time.hpp"
#include "tunnelmgr/signalling/message.hpp"

namespace hearthcast::rendezvous {

struct RelayPolicy {
  std::vector<std::string> urls;  // signalling/relay_url.hpp; empty: there are no relays
  std::string secret;
  std::chrono::seconds lifetime = std::chrono::hours{48};  // at least so long from when they are given
};

// All that an identity gets within six hours of unix_time (seconds) is the same, so that a client which was
// killed can give back what it left on the relay, and the relay's quota of a user counts per client.
[[nodiscard]] signalling::RelayAccess relay_access(const Crypto& crypto, const RelayPolicy& policy,
                                                   const IdentityId& client, std::int64_t unix_time);

}  // namespace hearthcast::rendezvous
