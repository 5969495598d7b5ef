#include "appliance/access/access.hpp"

#include <utility>

namespace hearthcast::access {

using channels::Catalogue;
using channels::Channel;

Access::Access() : Access(std::make_shared<const Catalogue>(), std::make_shared<const DeviceList>()) {}

Access::Access(std::shared_ptr<const Catalogue> catalogue, std::shared_ptr<const DeviceList> devices)
    : catalogue_(std::move(catalogue)), devices_(std::move(devices)) {}

std::optional<Refusal> Access::standing(const IdentityId& identity) const {
  const Device* device = devices_->find(identity);
  if (device == nullptr) {
    return Refusal{RefusalCode::kRevoked, "This device is not paired with the box. Pair it again."};
  }
  switch (device->state) {
    case DeviceState::kApproved:
      return std::nullopt;
    case DeviceState::kPending:
      return Refusal{
          RefusalCode::kPending,
          "This device waits for the box's owner to approve it. Ask the owner to open the box's web page."};
    case DeviceState::kRevoked:
      break;
  }
  return Refusal{RefusalCode::kRevoked, "The box's owner has withdrawn this device's permission to watch."};
}

Decision Access::watch(const IdentityId& identity, const std::optional<IpAddress>& source,
                       const IpAddress& group, std::size_t watching) const {
  if (auto refused = standing(identity)) {
    return {{}, std::move(refused)};
  }
  return watch(devices_->find(identity)->grants, "this device", source, group, watching);
}

Decision Access::watch(const Grants& grants, const std::string& name, const std::optional<IpAddress>& source,
                       const IpAddress& group, std::size_t watching) const {
  const auto candidates = catalogue_->matching(source, group);
  if (candidates.empty()) {
    return {{},
            Refusal{RefusalCode::kUnknownChannel,
                    "The box has no channel at this address. Fetch the channel list again."}};
  }
  Decision decision;
  for (const Channel* channel : candidates) {
    if (grants.include(channel->id)) {
      decision.channels.push_back(channel->id);
    }
  }
  if (decision.channels.empty()) {
    decision.refusal =
        Refusal{RefusalCode::kNotGranted,
                "The box's owner has not allowed \"" + candidates.front()->name + "\" for " + name + "."};
  } else if (watching + decision.channels.size() > kMaxStreamsPerDevice) {
    decision.channels.clear();
    decision.refusal =
        Refusal{RefusalCode::kLimit, "Stop another channel first: " + name + " already watches " +
                                         std::to_string(watching) + " of them."};
  }
  return decision;
}

Decision Access::watch(const IdentityId& identity, const FlowKey& address) const {
  if (auto refused = standing(identity)) {
    return {{}, std::move(refused)};
  }
  const Device& device = *devices_->find(identity);
  const Channel* ungranted = nullptr;
  for (const Channel* channel : catalogue_->matching(address.source, address.group)) {
    if (channel->flow.port != address.port) {
      continue;
    }
    if (device.grants.include(channel->id)) {
      return {{channel->id}, std::nullopt};
    }
    ungranted = ungranted == nullptr ? channel : ungranted;
  }
  if (ungranted == nullptr) {
    return {{},
            Refusal{RefusalCode::kUnknownChannel,
                    "The box has no channel at this address. Fetch the playlist again."}};
  }
  return {{},
          Refusal{RefusalCode::kNotGranted,
                  "The box's owner has not allowed \"" + ungranted->name + "\" for this device."}};
}

bool Access::may_continue(const IdentityId& identity, ChannelId channel) const {
  const Device* device = devices_->find(identity);
  return device != nullptr && device->state == DeviceState::kApproved && device->grants.include(channel) &&
         catalogue_->find(channel) != nullptr;
}

std::vector<const Channel*> Access::channels_of(const IdentityId& identity) const {
  std::vector<const Channel*> granted;
  const Device* device = devices_->find(identity);
  if (device == nullptr || device->state != DeviceState::kApproved) {
    return granted;
  }
  for (const Channel& channel : catalogue_->channels()) {
    if (device->grants.include(channel.id)) {
      granted.push_back(&channel);
    }
  }
  return granted;
}

HomeHosts Access::home_hosts_of(const IdentityId& identity) const {
  const Device* device = devices_->find(identity);
  return device != nullptr && device->state == DeviceState::kApproved ? device->home_hosts : HomeHosts();
}

std::uint64_t Access::channels_revision(const IdentityId& identity) const {
  // Both parts only grow, so their sum changes whenever one of them does.
  const Device* device = devices_->find(identity);
  return catalogue_->revision() + (device == nullptr ? 0 : device->revision);
}

}  // namespace hearthcast::access
