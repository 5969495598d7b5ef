#include "appliance/app/lan_relay.hpp"

#include <algorithm>
#include <utility>

#include "appliance/access/lan_link.hpp"
#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/base/prefix.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"
#include "tunnelmgr/playlist/lan_path.hpp"

namespace hearthcast::app {
namespace {

using http::Response;

constexpr const char* kHowTo =
    "Players at home need a LAN link: open the box's web page, choose a device, and make one there; or run "
    "`hearthcast-box lan-link DEVICE`.";

Response media_head() {
  Response head;
  head.headers.set("Content-Type", "video/mp2t");
  head.headers.set("Cache-Control", "no-store");
  return head;
}

Response playlist_of(const http::Request& request, const std::string& token, const access::Access& access,
                     const access::Device& device) {
  const std::string begin = "http://" + std::string(request.headers.get("Host"));
  std::vector<playlist::PlayerEntry> entries;
  for (const auto* channel : access.channels_of(device.identity)) {
    entries.push_back({begin + playlist::lan_channel_path(token, channel->flow, channel->rtp), channel->name,
                       channel->attributes});
  }
  Response response;
  response.headers.set("Content-Type", "audio/x-mpegurl; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = playlist::write_m3u(entries);
  return response;
}

const char* words_of(datapath::PlayerEnd end) {
  switch (end) {
    case datapath::PlayerEnd::kClosed:
      return "closed by the player";
    case datapath::PlayerEnd::kTooSlow:
      return "it stopped reading";
    case datapath::PlayerEnd::kStreamClosed:
      break;
  }
  return "cut off";
}

}  // namespace

bool is_plain_host(std::string_view host) {
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']' || c == '%';
  });
}

bool is_home(const IpAddress& address, const std::vector<linux::Interface>& own) {
  if (address.is_private() || address.is_link_local() || address.is_loopback()) {
    return true;
  }
  for (const auto& interface : own) {
    for (const auto& entry : interface.addresses) {
      if (entry.address.family() == address.family() &&
          Prefix::of(entry.address, entry.prefix).contains(address)) {
        return true;
      }
    }
  }
  return false;
}

LanRelay::LanRelay(Needs needs)
    : needs_(std::move(needs)), access_(std::make_shared<const access::Access>()) {}

void LanRelay::answer(const http::Responder& responder, int status, const char* reason,
                      const std::string& text) {
  ++refused_[reason];
  responder.send(Response::text(status, text + "\n"));
}

void LanRelay::serve(const http::Request& request, http::Responder responder, Time now) {
  const auto path = playlist::parse_lan_path(request.path);
  if (request.transport != http::Transport::kHttp) {
    answer(responder, 403, "transport", "Players at home use plain HTTP: the box's port 8872 by default.");
    return;
  }
  if (!needs_.is_home(request.peer.address)) {
    answer(responder, 403, "not_at_home",
           "A LAN link works at home only. Away, pair the device with the box.");
    return;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    ++refused_["method"];
    auto response = Response::text(405, "Only GET and HEAD are understood here.\n");
    response.headers.set("Allow", "GET, HEAD");
    responder.send(std::move(response));
    return;
  }
  const auto link = access::lan_link_of(needs_.crypto, path.token);
  const access::Device* device = link ? access_->devices().find_lan_link(*link) : nullptr;
  if (device == nullptr) {
    answer(
        responder, 403, path.token.empty() ? "no_link" : "wrong_link",
        path.token.empty() ? kHowTo : std::string("This LAN link is not valid, or not any more. ") + kHowTo);
    return;
  }
  if (const auto refused = access_->standing(device->identity)) {
    answer(responder, 403, "standing", refused->text);
    return;
  }
  if (const auto* mistake = std::get_if<playlist::LanMistake>(&path.wish)) {
    answer(responder, mistake->address ? 400 : 404, "address", mistake->text);
  } else if (const auto* asked = std::get_if<playlist::LanChannel>(&path.wish)) {
    if (request.method == "HEAD") {  // joins nothing
      const auto decision = access_->watch(device->identity, asked->flow);
      if (!decision.refusal) {
        responder.send(media_head());
        return;
      }
    }
    const PlayerId player{++last_player_};
    waiting_.emplace(player, std::move(responder));
    perform(players_.on_request(player, *access_, *device, asked->flow, now), now);
    const auto waits = players_.players().find(player);
    if (waits != players_.players().end() && needs_.sessions.has_signal(waits->second.flow)) {
      on_signal(FlowKey(waits->second.flow), true, now);
    }
    needs_.arm();
  } else if (!is_plain_host(request.headers.get("Host"))) {
    answer(responder, 400, "address", "The request does not say which host it is for.");
  } else if (std::holds_alternative<playlist::LanPlaylist>(path.wish)) {
    responder.send(playlist_of(request, path.token, *access_, *device));
  } else {
    responder.send(Response::text(200, "This is the LAN link of \"" + device->name + "\". Open http://" +
                                           std::string(request.headers.get("Host")) +
                                           playlist::lan_playlist_path(path.token) + " in a player.\n"));
  }
}

void LanRelay::on_access(std::shared_ptr<const access::Access> access, Time now) {
  access_ = std::move(access);
  perform(players_.on_access(*access_), now);
}

void LanRelay::on_signal(const FlowKey& flow, bool present, Time now) {
  perform(players_.on_signal(flow, present, now), now);
}

void LanRelay::on_gone(const forward::PlayerGone& gone, Time now) {
  former_bytes_ += gone.bytes;
  too_slow_ += gone.end == datapath::PlayerEnd::kTooSlow ? 1 : 0;
  needs_.log.info("lan_player_gone", {{"player", std::to_string(gone.player.value)},
                                      {"why", words_of(gone.end)},
                                      {"bytes", std::to_string(gone.bytes)}});
  perform(players_.on_gone(gone.player), now);
}

void LanRelay::on_deadline(Time now) {
  if (players_.next_deadline() <= now) {
    perform(players_.on_deadline(now), now);
  }
}

void LanRelay::stop() {
  *alive_ = false;
  waiting_.clear();
}

void LanRelay::perform(const sessions::LanActions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* wanted = std::get_if<sessions::LanWatch>(&action)) {
      watch(wanted->device, wanted->flows, now);
    } else if (const auto* play = std::get_if<sessions::LanPlay>(&action)) {
      hand_over(play->player, play->flow);
    } else if (const auto* refusal = std::get_if<sessions::LanAnswer>(&action)) {
      if (const auto waiting = waiting_.extract(refusal->player)) {
        answer(waiting.mapped(), refusal->status, std::string(refusal->reason).c_str(), refusal->text);
      }
    } else {
      (void)needs_.post(forward::RemovePlayer{std::get<sessions::LanCut>(action).player});
    }
  }
}

void LanRelay::watch(DeviceId device, const std::set<FlowKey>& flows, Time now) {
  const auto known = listeners_.find(device);
  const PeerId listener = known != listeners_.end() ? known->second : needs_.sessions.new_listener();
  needs_.sessions.watch(listener, flows, now);
  if (flows.empty()) {
    listeners_.erase(device);
    return;
  }
  listeners_[device] = listener;
}

void LanRelay::hand_over(PlayerId player, const FlowKey& flow) {
  const auto waiting = waiting_.extract(player);
  if (!waiting) {
    return;
  }
  waiting.mapped().detach(media_head(), [this, player, flow, alive = alive_](Result<int, Failure> socket) {
    linux::Fd fd(socket ? *socket : -1);
    if (!*alive) {
      return;
    }
    const auto carried = needs_.sessions.flow(flow);
    if (socket && carried && players_.is_playing(player) &&
        needs_.post(forward::AddPlayer{player, *carried, std::move(fd)})) {
      ++started_;
      needs_.log.info("lan_player", {{"player", std::to_string(player.value)}, {"group", flow.to_string()}});
      return;
    }
    perform(players_.on_gone(player), Clock::now());
    needs_.arm();
  });
}

void LanRelay::show(api::LiveState& live, const forward::Statistics* statistics) const {
  live.lan.started = started_;
  live.lan.bytes = former_bytes_;
  live.lan.too_slow = too_slow_;
  for (const auto& [reason, count] : refused_) {
    live.lan.refused.push_back({reason, count});
  }
  std::map<std::pair<DeviceId, ChannelId>, api::ViewerLive> rows;
  for (const auto& [id, player] : players_.players()) {
    if (!player.playing) {
      continue;
    }
    ++live.lan.players;
    const auto [at, is_new] = rows.try_emplace({player.device, player.channel});
    api::ViewerLive& row = at->second;
    row.players = is_new ? 1 : row.players + 1;
    row.since = is_new ? player.since : std::min(row.since, player.since);
    row.device = player.device;
    row.channel = player.channel;
    row.path = api::PathKind::kLan;
    row.via = api::ViewerLive::Via::kLanLink;
    if (statistics != nullptr) {
      const auto counted = std::ranges::find(statistics->players, id, &forward::PlayerCounters::player);
      if (counted != statistics->players.end()) {
        row.bytes += counted->bytes;
        live.lan.bytes += counted->bytes;
      }
    }
  }
  for (const auto& [key, row] : rows) {
    live.viewers.push_back(row);
    // The flow counts a device's players as one listener.
    if (const auto channel = live.channels.find(row.channel); channel != live.channels.end()) {
      channel->second.viewers += row.players - 1;
    }
  }
}

}  // namespace hearthcast::app
