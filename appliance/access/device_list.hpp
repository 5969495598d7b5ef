// The devices of a box. A value: copies are independent.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "appliance/access/device.hpp"
#include "tunnelmgr/base/result.hpp"

namespace hearthcast::access {

class DeviceList {
 public:
  DeviceList() = default;
  // As stored: ids distinct and below next_id, identities distinct.
  DeviceList(std::vector<Device> devices, std::int64_t next_id, std::uint64_t revision);

  // After a successful pairing. A new key becomes a pending device without grants; a key that is known keeps
  // its id, state and grants, and the name that it has here, which may be its owner's. A revoked device
  // becomes pending again, since its owner opened the window; its hosts at home and its LAN link are gone.
  // Refused when there are kMaxDevices. `name` must be clean and not empty (channels/label.hpp).
  [[nodiscard]] Result<DeviceId, Failure> paired(const IdentityId& identity, Bytes public_key,
                                                 std::string_view name);

  // Each is false when there is no such device. Setting what is already so changes nothing, not even the
  // revision.
  [[nodiscard]] bool set_state(DeviceId id, DeviceState state);
  [[nodiscard]] bool set_grants(DeviceId id, const Grants& grants);
  // All of them, in place of those that it had.
  [[nodiscard]] bool set_home_hosts(DeviceId id, HomeHosts hosts);
  [[nodiscard]] bool rename(DeviceId id, std::string_view clean_name);
  // The hash of its LAN link's token; nullopt takes the link away.
  [[nodiscard]] bool set_lan_link(DeviceId id, const std::optional<Sha256>& link);
  [[nodiscard]] bool forget(DeviceId id);
  // A channel left the catalogue: no grant names it any more.
  void drop_channel(ChannelId channel);

  [[nodiscard]] const Device* find(DeviceId id) const;  // until the next change
  [[nodiscard]] const Device* find(const IdentityId& identity) const;
  // Whose LAN link it is. Takes the same time whichever it is and whether it is any.
  [[nodiscard]] const Device* find_lan_link(const Sha256& link) const;
  [[nodiscard]] bool has_lan_links() const;
  [[nodiscard]] const std::map<DeviceId, Device>& devices() const { return devices_; }
  [[nodiscard]] std::int64_t next_id() const { return next_id_; }
  // Grows with every change of who is known and in which state: the revision of the rendezvous' allow list.
  [[nodiscard]] std::uint64_t revision() const { return revision_; }

 private:
  [[nodiscard]] Device* edit(DeviceId id);

  std::map<DeviceId, Device> devices_;
  std::unordered_map<IdentityId, DeviceId> by_identity_;
  std::int64_t next_id_ = 1;
  std::uint64_t revision_ = 1;
};

}  // namespace hearthcast::access
