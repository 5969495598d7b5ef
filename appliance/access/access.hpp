// May this device watch this channel now? The one place that decides.
//
// An immutable snapshot of catalogue and devices: the control thread holds one and exchanges it when
// something changed; reading it is safe from every thread. A device that is not in the list is refused like a
// revoked one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "appliance/access/device_list.hpp"
#include "appliance/access/refusal.hpp"
#include "appliance/channels/catalogue.hpp"

namespace hearthcast::access {

inline constexpr std::size_t kMaxStreamsPerDevice = 256;

// Either channels to carry, at least one, or why not.
struct Decision {
  std::vector<ChannelId> channels;
  std::optional<Refusal> refusal;
};

class Access {
 public:
  Access();  // knows nobody and nothing
  Access(std::shared_ptr<const channels::Catalogue> catalogue, std::shared_ptr<const DeviceList> devices);

  // What a membership report for (source, group) yields. Without a source: every granted channel of the
  // group. `watching` is what the device watches already; a report that would lead above kMaxStreamsPerDevice
  // is refused.
  [[nodiscard]] Decision watch(const IdentityId& device, const std::optional<IpAddress>& source,
                               const IpAddress& group, std::size_t watching) const;
  // What an HTTP player at home may have that asks for this address: the channel there, or without a source
  // the first granted one of that group and port.
  [[nodiscard]] Decision watch(const IdentityId& device, const FlowKey& address) const;
  // The same for a peer of the settings file, which has a name and grants and is in no list of devices.
  [[nodiscard]] Decision watch(const Grants& grants, const std::string& name,
                               const std::optional<IpAddress>& source, const IpAddress& group,
                               std::size_t watching) const;
  // May it go on? For streams that run when a new snapshot comes.
  [[nodiscard]] bool may_continue(const IdentityId& device, ChannelId channel) const;
  // Why the device may watch nothing at all: pending, revoked or unknown. Nothing when it is approved.
  [[nodiscard]] std::optional<Refusal> standing(const IdentityId& device) const;

  // The list that a device is sent, in the owner's order: what it is granted; empty unless approved. The
  // revision grows with every change that could alter the list. Pointers live as long as this snapshot.
  [[nodiscard]] std::vector<const channels::Channel*> channels_of(const IdentityId& device) const;
  [[nodiscard]] std::uint64_t channels_revision(const IdentityId& device) const;

  // Where in the home network it may go; nowhere unless approved.
  [[nodiscard]] HomeHosts home_hosts_of(const IdentityId& device) const;

  [[nodiscard]] const channels::Catalogue& catalogue() const { return *catalogue_; }
  [[nodiscard]] const DeviceList& devices() const { return *devices_; }

 private:
  std::shared_ptr<const channels::Catalogue> catalogue_;  // shared by successive snapshots
  std::shared_ptr<const DeviceList> devices_;
};

}  // namespace hearthcast::access
