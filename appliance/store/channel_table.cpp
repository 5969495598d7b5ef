#include "appliance/store/channel_table.hpp"

#include <unordered_map>
#include <utility>

#include "appliance/store/settings_table.hpp"

namespace hearthcast::store {
namespace {

using channels::Catalogue;
using channels::Channel;

constexpr std::string_view kRevision = "catalogue_revision";
constexpr std::string_view kNextId = "next_channel_id";

void write_channel(sqlite::Transaction& t, const Channel& channel, std::int64_t position) {
  const std::string source = channel.flow.source ? channel.flow.source->to_string() : std::string();
  const std::string group = channel.flow.group.to_string();
  t.run(
      "INSERT INTO channel (id, position, name, source, multicast_group, port, rtp) VALUES (?, ?, ?, ?, ?, "
      "?, ?) "
      "ON CONFLICT (id) DO UPDATE SET position = excluded.position, name = excluded.name, rtp = excluded.rtp",
      {channel.id.value, position, std::string_view(channel.name), std::string_view(source),
       std::string_view(group), std::int64_t{channel.flow.port}, std::int64_t{channel.rtp ? 1 : 0}});
  t.run("DELETE FROM channel_attribute WHERE channel = ?", {channel.id.value});
  for (const auto& [name, value] : channel.attributes) {
    t.run("INSERT INTO channel_attribute (channel, name, value) VALUES (?, ?, ?)",
          {channel.id.value, std::string_view(name), std::string_view(value)});
  }
}

}  // namespace

Catalogue read_catalogue(sqlite::Transaction& t) {
  std::vector<Channel> in_order;
  std::unordered_map<std::int64_t, std::size_t> place;
  t.query("SELECT id, name, source, multicast_group, port, rtp FROM channel ORDER BY position, id", {},
          [&](const sqlite::Row& row) {
            const auto group = IpAddress::parse(row.text(3));
            const auto source = IpAddress::parse(row.text(2));
            if (!group) {
              return;  // somebody edited the file by hand: a channel without an address is none
            }
            Channel channel;
            channel.id = ChannelId{row.integer(0)};
            channel.name = row.text(1);
            channel.flow = {source, *group, static_cast<std::uint16_t>(row.integer(4))};
            channel.rtp = row.integer(5) != 0;
            place[channel.id.value] = in_order.size();
            in_order.push_back(std::move(channel));
          });
  t.query("SELECT channel, name, value FROM channel_attribute", {}, [&](const sqlite::Row& row) {
    if (const auto at = place.find(row.integer(0)); at != place.end()) {
      in_order[at->second].attributes[row.text(1)] = row.text(2);
    }
  });
  const auto revision = static_cast<std::uint64_t>(read_number(t, kRevision, 1));
  return {std::move(in_order), revision, read_number(t, kNextId, 1)};
}

void write_catalogue(sqlite::Transaction& t, const Catalogue& before, const Catalogue& after) {
  if (before.revision() == after.revision()) {
    return;
  }
  std::unordered_map<ChannelId, std::int64_t> former_position;
  for (const Channel& channel : before.channels()) {
    former_position[channel.id] = static_cast<std::int64_t>(former_position.size());
    if (after.find(channel.id) == nullptr) {
      t.run("DELETE FROM channel WHERE id = ?", {channel.id.value});
    }
  }
  std::int64_t position = 0;
  for (const Channel& channel : after.channels()) {
    const Channel* former = before.find(channel.id);
    if (former == nullptr || !(*former == channel)) {
      write_channel(t, channel, position);
    } else if (former_position.at(channel.id) != position) {
      t.run("UPDATE channel SET position = ? WHERE id = ?", {position, channel.id.value});
    }
    ++position;
  }
  write_number(t, kRevision, static_cast<std::int64_t>(after.revision()));
  write_number(t, kNextId, after.next_id());
}

}  // namespace hearthcast::store
