// The standing ICE credentials of a box and a device that are paired: both derive the same four strings from
// the Diffie-Hellman secret of their identities, so any check is authenticated and names the device, with no
// server between. Form: docs/protocol/ice.md; ufrag and password as RFC 8445 section 5.3 wants them.
#pragma once

#include <optional>
#include <string>

#include "tunnelmgr/base/crypto.hpp"

namespace hearthcast::nat {

struct Credentials {
  std::string ufrag;
  std::string password;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct StandingCredentials {
  Credentials box;
  Credentials device;
};

// `secret` is what Identity::agree gave, the same on both ends.
[[nodiscard]] StandingCredentials standing_credentials(const Crypto& crypto, Bytes secret,
                                                       const IdentityId& box, const IdentityId& device);

// The same from one end's identity and the other's pinned public key. nullopt: the key is not a P-256 point.
[[nodiscard]] std::optional<StandingCredentials> credentials_at_box(const Crypto& crypto, const Identity& box,
                                                                    Bytes device_public_key);
[[nodiscard]] std::optional<StandingCredentials> credentials_at_device(const Crypto& crypto,
                                                                       const Identity& device,
                                                                       Bytes box_public_key);

}  // namespace hearthcast::nat
