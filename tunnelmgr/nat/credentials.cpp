#include "tunnelmgr/nat/credentials.hpp"

#include <algorithm>

#include "tunnelmgr/base/text.hpp"

namespace hearthcast::nat {
namespace {

constexpr std::size_t kUfragOctets = 6;
constexpr std::size_t kPasswordOctets = 18;

IdentityId id_of(const Crypto& crypto, Bytes public_key) { return IdentityId{crypto.sha256(public_key)}; }

}  // namespace

StandingCredentials standing_credentials(const Crypto& crypto, Bytes secret, const IdentityId& box,
                                         const IdentityId& device) {
  Buffer salt(box.digest.begin(), box.digest.end());
  salt.insert(salt.end(), device.digest.begin(), device.digest.end());
  const Buffer pair_key = crypto.hkdf_sha256(secret, salt, as_bytes("hearthcast pair 1"), 32);
  const auto derive = [&](std::string_view info, std::size_t octets) {
    std::string text = to_base64url(crypto.hkdf_sha256(pair_key, {}, as_bytes(info), octets));
    std::ranges::replace(text, '-', '+');  // ice-char has no hyphen and no underscore
    std::ranges::replace(text, '_', '/');
    return text;
  };
  return {.box = {derive("box ufrag", kUfragOctets), derive("box password", kPasswordOctets)},
          .device = {derive("device ufrag", kUfragOctets), derive("device password", kPasswordOctets)}};
}

std::optional<StandingCredentials> credentials_at_box(const Crypto& crypto, const Identity& box,
                                                      Bytes device_public_key) {
  const auto secret = box.agree(device_public_key);
  if (!secret) {
    return std::nullopt;
  }
  return standing_credentials(crypto, *secret, box.id(), id_of(crypto, device_public_key));
}

std::optional<StandingCredentials> credentials_at_device(const Crypto& crypto, const Identity& device,
                                                         Bytes box_public_key) {
  const auto secret = device.agree(box_public_key);
  if (!secret) {
    return std::nullopt;
  }
  return standing_credentials(crypto, *secret, id_of(crypto, box_public_key), device.id());
}

}  // namespace hearthcast::nat
