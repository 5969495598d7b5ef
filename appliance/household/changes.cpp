// The changes that an owner makes to channels and devices, and those that pairing makes.
#include <utility>

#include "appliance/access/lan_link.hpp"
#include "appliance/channels/label.hpp"
#include "appliance/household/household.hpp"

namespace hearthcast::household {
namespace {

Refused no_channel() {
  return {Refused::Kind::kNotFound, "There is no such channel any more. Reload the list.", ""};
}
Refused no_device() {
  return {Refused::Kind::kNotFound, "There is no such device any more. Reload the list.", ""};
}

}  // namespace

Result<channels::ImportResult> Household::import(const std::vector<channels::ImportLine>& lines) {
  store::Holdings after = holdings_;
  auto result = channels::import_lines(after.catalogue, lines);
  if (after.catalogue.revision() != holdings_.catalogue.revision()) {
    if (auto done = commit(std::move(after)); !done) {
      return done.error();
    }
  }
  tools_.log.info("playlist_imported", {{"added", std::to_string(result.added)},
                                        {"updated", std::to_string(result.updated)},
                                        {"failed", std::to_string(result.failed)}});
  return result;
}

Result<void> Household::rename_channel(ChannelId id, std::string_view name) {
  store::Holdings after = holdings_;
  if (after.catalogue.find(id) == nullptr) {
    return no_channel();
  }
  if (!after.catalogue.rename(id, name)) {
    return Refused{Refused::Kind::kInvalid, "A channel needs a name of at least one character.", "name"};
  }
  return commit(std::move(after));
}

Result<void> Household::remove_channel(ChannelId id) {
  store::Holdings after = holdings_;
  if (!after.catalogue.remove(id)) {
    return no_channel();
  }
  after.devices.drop_channel(id);
  return commit(std::move(after));
}

Result<void> Household::change_device(DeviceId id, const DeviceChange& change) {
  store::Holdings after = holdings_;
  if (after.devices.find(id) == nullptr) {
    return no_device();
  }
  if (change.name) {
    const std::string name = channels::clean_label(*change.name, access::kMaxDeviceNameCharacters);
    if (name.empty() || !after.devices.rename(id, name)) {
      return Refused{Refused::Kind::kInvalid, "A device needs a name of at least one character.", "name"};
    }
  }
  if (change.grants) {
    for (const ChannelId channel : change.grants->channels) {
      if (after.catalogue.find(channel) == nullptr) {
        return Refused{Refused::Kind::kInvalid,
                       "Channel " + std::to_string(channel.value) +
                           " is not in the catalogue any more. Reload the list.",
                       "channels"};
      }
    }
    (void)after.devices.set_grants(id, *change.grants);
  }
  if (change.home_hosts) {
    if (change.home_hosts->size() > kMaxHomeHosts) {
      return Refused{Refused::Kind::kInvalid,
                     "A device may be given at most " + std::to_string(kMaxHomeHosts) + " hosts or networks.",
                     "home_hosts"};
    }
    (void)after.devices.set_home_hosts(id, *change.home_hosts);
  }
  if (change.state) {
    (void)after.devices.set_state(id, *change.state);
  }
  return commit(std::move(after));
}

Result<void> Household::forget_device(DeviceId id) {
  store::Holdings after = holdings_;
  if (!after.devices.forget(id)) {
    return no_device();
  }
  return commit(std::move(after));
}

Result<std::string> Household::make_lan_link(DeviceId id) {
  store::Holdings after = holdings_;
  std::string token = access::make_lan_token(tools_.random);
  if (!after.devices.set_lan_link(id, access::lan_link_of(tools_.crypto, token))) {
    return no_device();
  }
  if (auto done = commit(std::move(after)); !done) {
    return done.error();
  }
  return token;
}

Result<void> Household::drop_lan_link(DeviceId id) {
  store::Holdings after = holdings_;
  if (!after.devices.set_lan_link(id, std::nullopt)) {
    return no_device();
  }
  return commit(std::move(after));
}

Result<void> Household::open_pairing(Time now) {
  auto opened = desk_.open(card_, now);
  if (!opened) {
    return Refused{Refused::Kind::kTooMany, opened.error().text, ""};
  }
  publish();
  return {};
}

Result<void> Household::close_pairing(std::int64_t id, Time now) {
  if (!desk_.close(id, now)) {
    return Refused{Refused::Kind::kNotFound, "This pairing is not open any more.", ""};
  }
  publish();
  return {};
}

Result<std::string> Household::pair(std::string_view text, Time now) {
  const auto request = signalling::decode_pairing_request(text);
  if (!request) {
    return Refused{Refused::Kind::kInvalid, "This is not a pairing message.", ""};
  }
  const bool was_open = desk_.invitation() != nullptr;
  const auto verdict = desk_.judge(*request, card_, now);
  if (const auto* no = std::get_if<signalling::PairingRefusal>(&verdict)) {
    tools_.log.warning("pairing_refused", {{"code", std::string(to_string(no->code))}});
    if (was_open && desk_.invitation() == nullptr) {
      publish();
    }
    return signalling::encode(*no);
  }
  const auto& accepted = std::get<access::PairingDesk::Accepted>(verdict);
  if (!accepted.repeated) {
    store::Holdings after = holdings_;
    const std::string name = channels::clean_label(accepted.name, access::kMaxDeviceNameCharacters);
    const auto device =
        after.devices.paired(accepted.identity, accepted.public_key, name.empty() ? "A device" : name);
    if (!device) {
      return Refused{Refused::Kind::kTooMany, device.error().text, ""};
    }
    if (auto done = commit(std::move(after)); !done) {
      return done.error();
    }
    desk_.settle(*request, accepted, *device);
    publish();  // the window is closed now
    tools_.log.info("device_paired", {{"device", std::to_string(device->value)}});
  }
  return signalling::encode(accepted.answer);
}

}  // namespace hearthcast::household
