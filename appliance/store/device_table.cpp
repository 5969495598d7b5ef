#include "appliance/store/device_table.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "appliance/store/settings_table.hpp"

namespace hearthcast::store {
namespace {

using access::Device;
using access::DeviceList;

constexpr std::string_view kNextId = "next_device_id";
constexpr std::string_view kRevision = "device_list_revision";

void write_device(sqlite::Transaction& t, const Device& device) {
  t.run(
      "INSERT INTO device (id, identity, public_key, name, state, grants_all, revision, lan_link) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state, "
      "grants_all = excluded.grants_all, revision = excluded.revision, lan_link = excluded.lan_link",
      {device.id.value, Bytes(device.identity.digest), Bytes(device.public_key),
       std::string_view(device.name), to_text(device.state), std::int64_t{device.grants.all ? 1 : 0},
       static_cast<std::int64_t>(device.revision),
       device.lan_link ? sqlite::Value(Bytes(*device.lan_link)) : sqlite::Value(nullptr)});
  t.run("DELETE FROM device_grant WHERE device = ?", {device.id.value});
  for (const ChannelId channel : device.grants.channels) {
    t.run("INSERT INTO device_grant (device, channel) VALUES (?, ?)", {device.id.value, channel.value});
  }
  t.run("DELETE FROM device_home_host WHERE device = ?", {device.id.value});
  std::int64_t position = 0;
  for (const HomeHost& host : device.home_hosts) {
    t.run("INSERT INTO device_home_host (device, position, host) VALUES (?, ?, ?)",
          {device.id.value, ++position, std::string_view(host.to_string())});
  }
}

}  // namespace

DeviceList read_devices(sqlite::Transaction& t) {
  std::map<std::int64_t, Device> read;
  t.query("SELECT id, identity, public_key, name, state, grants_all, revision, lan_link FROM device", {},
          [&](const sqlite::Row& row) {
            const Buffer identity = row.blob(1);
            Device device;
            if (identity.size() != device.identity.digest.size()) {
              return;
            }
            std::copy(identity.begin(), identity.end(), device.identity.digest.begin());
            device.id = DeviceId{row.integer(0)};
            device.public_key = row.blob(2);
            device.name = row.text(3);
            device.state = access::device_state(row.text(4));
            device.grants.all = row.integer(5) != 0;
            device.revision = static_cast<std::uint64_t>(row.integer(6));
            if (const Buffer link = row.blob(7); link.size() == Sha256().size()) {
              std::ranges::copy(link, device.lan_link.emplace().begin());
            }
            read[device.id.value] = std::move(device);
          });
  t.query("SELECT device, channel FROM device_grant", {}, [&](const sqlite::Row& row) {
    if (const auto at = read.find(row.integer(0)); at != read.end()) {
      at->second.grants.channels.insert(ChannelId{row.integer(1)});
    }
  });
  // What is no host any more opens nothing.
  t.query("SELECT device, host FROM device_home_host ORDER BY device, position", {},
          [&](const sqlite::Row& row) {
            const auto at = read.find(row.integer(0));
            const auto host = HomeHost::parse(row.text(1));
            if (at != read.end() && host && at->second.home_hosts.size() < kMaxHomeHosts) {
              at->second.home_hosts.push_back(*host);
            }
          });
  std::vector<Device> devices;
  devices.reserve(read.size());
  for (auto& [id, device] : read) {
    devices.push_back(std::move(device));
  }
  const auto revision = static_cast<std::uint64_t>(read_number(t, kRevision, 1));
  return {std::move(devices), read_number(t, kNextId, 1), revision};
}

void write_devices(sqlite::Transaction& t, const DeviceList& before, const DeviceList& after) {
  for (const auto& [id, device] : before.devices()) {
    if (after.find(id) == nullptr) {
      t.run("DELETE FROM device WHERE id = ?", {id.value});
    }
  }
  for (const auto& [id, device] : after.devices()) {
    const Device* former = before.find(id);
    if (former == nullptr || !(*former == device)) {
      write_device(t, device);
    }
  }
  write_number(t, kNextId, after.next_id());
  write_number(t, kRevision, static_cast<std::int64_t>(after.revision()));
}

}  // namespace hearthcast::store
