// A paired device and what its owner lets it watch.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tunnelmgr/base/bytes.hpp"
#include "tunnelmgr/base/crypto.hpp"
#include "tunnelmgr/base/home_host.hpp"
#include "tunnelmgr/base/ids.hpp"

namespace hearthcast::access {

inline constexpr std::size_t kMaxDeviceNameCharacters = 64;
inline constexpr std::size_t kMaxDevices = 500;

enum class DeviceState {
  kPending,   // paired, and waits for the owner
  kApproved,  // may watch what it is granted
  kRevoked,   // known, and refused everything
};

// "pending", "approved", "revoked": in the database, the API and logs.
[[nodiscard]] constexpr std::string_view to_text(DeviceState state) {
  switch (state) {
    case DeviceState::kPending:
      return "pending";
    case DeviceState::kApproved:
      return "approved";
    case DeviceState::kRevoked:
      break;
  }
  return "revoked";
}
// Anything unknown is revoked: a damaged row must not open a door.
[[nodiscard]] constexpr DeviceState device_state(std::string_view text) {
  for (const auto state : {DeviceState::kPending, DeviceState::kApproved}) {
    if (text == to_text(state)) {
      return state;
    }
  }
  return DeviceState::kRevoked;
}

struct Grants {
  bool all = false;              // also channels that come later
  std::set<ChannelId> channels;  // meaningful only when not all
  [[nodiscard]] bool include(ChannelId channel) const { return all || channels.contains(channel); }
  friend bool operator==(const Grants&, const Grants&) = default;
};

struct Device {
  DeviceId id;          // given once, never reused
  IdentityId identity;  // SHA-256 of public_key
  Buffer public_key;    // SubjectPublicKeyInfo, DER
  std::string name;     // never empty
  DeviceState state = DeviceState::kPending;
  Grants grants;
  std::uint64_t revision = 0;           // grows with every change of state or grants
  std::optional<Sha256> lan_link = {};  // hash of the token of its LAN link (lan_link.hpp); none: it has none
  HomeHosts home_hosts = {};            // where in the home network it may go; at most kMaxHomeHosts
  friend bool operator==(const Device&, const Device&) = default;
};

}  // namespace hearthcast::access
