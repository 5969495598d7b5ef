#include "appliance/access/device_list.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::access {

DeviceList::DeviceList(std::vector<Device> devices, std::int64_t next_id, std::uint64_t revision)
    : next_id_(next_id), revision_(revision) {
  for (Device& device : devices) {
    by_identity_[device.identity] = device.id;
    devices_[device.id] = std::move(device);
  }
  if (!devices_.empty()) {  // should the stored number be lost: an id must never be handed out twice
    next_id_ = std::max(next_id_, devices_.rbegin()->first.value + 1);
  }
}

Result<DeviceId, Failure> DeviceList::paired(const IdentityId& identity, Bytes public_key,
                                             std::string_view name) {
  if (const auto known = by_identity_.find(identity); known != by_identity_.end()) {
    Device& device = devices_.at(known->second);
    if (device.state == DeviceState::kRevoked) {
      device.state = DeviceState::kPending;
      device.home_hosts.clear();
      device.lan_link.reset();
      ++device.revision;
      ++revision_;
    }
    return device.id;
  }
  if (devices_.size() >= kMaxDevices) {
    return Failure{"This box already knows " + std::to_string(kMaxDevices) +
                   " devices. Forget one that is not used any more, then pair again."};
  }
  const DeviceId id{next_id_++};
  Device device;
  device.id = id;
  device.identity = identity;
  device.public_key.assign(public_key.begin(), public_key.end());
  device.name = name;
  // A device that was forgotten and pairs again must not meet a revision that it has seen: room for a million
  // changes before each.
  device.revision = static_cast<std::uint64_t>(id.value) << 20;
  by_identity_[identity] = id;
  devices_[id] = std::move(device);
  ++revision_;
  return id;
}

Device* DeviceList::edit(DeviceId id) {
  const auto at = devices_.find(id);
  return at == devices_.end() ? nullptr : &at->second;
}

bool DeviceList::set_state(DeviceId id, DeviceState state) {
  Device* device = edit(id);
  if (device != nullptr && device->state != state) {
    device->state = state;
    ++device->revision;
    ++revision_;
  }
  return device != nullptr;
}

bool DeviceList::set_grants(DeviceId id, const Grants& grants) {
  Device* device = edit(id);
  if (device != nullptr && device->grants != grants) {
    device->grants = grants;
    ++device->revision;
  }
  return device != nullptr;
}

bool DeviceList::set_home_hosts(DeviceId id, HomeHosts hosts) {
  Device* device = edit(id);
  if (device != nullptr) {
    device->home_hosts = std::move(hosts);
  }
  return device != nullptr;
}

bool DeviceList::rename(DeviceId id, std::string_view clean_name) {
  Device* device = edit(id);
  if (device == nullptr) {
    return false;
  }
  device->name = clean_name;
  return true;
}

bool DeviceList::set_lan_link(DeviceId id, const std::optional<Sha256>& link) {
  Device* device = edit(id);
  if (device == nullptr) {
    return false;
  }
  device->lan_link = link;
  return true;
}

const Device* DeviceList::find_lan_link(const Sha256& link) const {
  const Device* found = nullptr;
  for (const auto& [id, device] : devices_) {
    if (device.lan_link && Crypto::equal(*device.lan_link, link)) {
      found = &device;
    }
  }
  return found;
}

bool DeviceList::has_lan_links() const {
  return std::ranges::any_of(devices_, [](const auto& entry) { return entry.second.lan_link.has_value(); });
}

bool DeviceList::forget(DeviceId id) {
  const Device* device = find(id);
  if (device == nullptr) {
    return false;
  }
  by_identity_.erase(device->identity);
  devices_.erase(id);
  ++revision_;
  return true;
}

void DeviceList::drop_channel(ChannelId channel) {
  for (auto& [id, device] : devices_) {
    if (device.grants.channels.erase(channel) > 0) {
      ++device.revision;
    }
  }
}

const Device* DeviceList::find(DeviceId id) const {
  const auto at = devices_.find(id);
  return at == devices_.end() ? nullptr : &at->second;
}

const Device* DeviceList::find(const IdentityId& identity) const {
  const auto at = by_identity_.find(identity);
  return at == by_identity_.end() ? nullptr : find(at->second);
}

}  // namespace hearthcast::access
