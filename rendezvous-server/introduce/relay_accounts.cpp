#include "rendezvous-server/introduce/relay_accounts.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::rendezvous {
namespace {

constexpr std::int64_t kStep = std::int64_t{6} * 3600;  // seconds
constexpr std::size_t kIdDigits = 16;                   // of the identity, for the relay's log and quota

std::string base64(Bytes octets) {  // RFC 4648 section 4, with padding
  std::string text = to_base64url(octets);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace

signalling::RelayAccess relay_access(const Crypto& crypto, const RelayPolicy& policy,
                                     const IdentityId& client, std::int64_t unix_time) {
  const std::int64_t least = unix_time + policy.lifetime.count();
  const std::int64_t end = (least + kStep - 1) / kStep * kStep;
  signalling::RelayAccess access;
  access.urls = policy.urls;
  access.username = std::to_string(end) + ":" + client.to_string().substr(0, kIdDigits);
  access.password = base64(crypto.hmac_sha1(as_bytes(policy.secret), as_bytes(access.username)));
  access.lifetime_s = static_cast<std::uint32_t>(end - unix_time);
  return access;
}

}  // namespace hearthcast::rendezvous
