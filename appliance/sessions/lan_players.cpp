#include "appliance/sessions/lan_players.hpp"

#include <algorithm>

namespace hearthcast::sessions {
namespace {

using access::RefusalCode;

int status_of(RefusalCode code) {
  switch (code) {
    case RefusalCode::kUnknownChannel:
      return 404;
    case RefusalCode::kLimit:
    case RefusalCode::kNoSignal:
      return 503;
    case RefusalCode::kNotGranted:
    case RefusalCode::kPending:
    case RefusalCode::kRevoked:
      break;
  }
  return 403;
}

LanAnswer refusal(PlayerId player, RefusalCode code, std::string text) {
  return {player, status_of(code), access::code_text(code), std::move(text)};
}

}  // namespace

LanActions LanPlayers::on_request(PlayerId player, const access::Access& access, const access::Device& device,
                                  const FlowKey& asked, Time now) {
  const auto decision = access.watch(device.identity, asked);
  if (decision.refusal) {
    return {refusal(player, decision.refusal->code, decision.refusal->text)};
  }
  const auto own = static_cast<std::size_t>(
      std::ranges::count_if(players_, [&](const auto& entry) { return entry.second.device == device.id; }));
  if (own >= kMaxPerDevice) {
    return {
        refusal(player, RefusalCode::kLimit,
                "This link plays on " + std::to_string(own) + " screens already; stop one of them first.")};
  }
  if (players_.size() >= kMaxPlayers) {
    return {refusal(player, RefusalCode::kLimit, "The box serves as many players as it can.")};
  }
  const channels::Channel& channel = *access.catalogue().find(decision.channels.front());
  LanActions out;
  const bool is_new = !flows_of(device.id).contains(channel.flow);
  players_[player] = {.device = device.id,
                      .link = device.lan_link.value_or(Sha256()),
                      .channel = channel.id,
                      .flow = channel.flow,
                      .since = now,
                      .until = now + kPatience,
                      .playing = false};
  if (is_new) {
    out.emplace_back(LanWatch{device.id, flows_of(device.id)});
  }
  return out;
}

LanActions LanPlayers::on_signal(const FlowKey& flow, bool present, Time now) {
  LanActions out;
  for (auto& [id, player] : players_) {
    if (present && !player.playing && player.flow == flow) {
      player.playing = true;
      player.since = now;
      out.emplace_back(LanPlay{id, flow});
    }
  }
  return out;
}

LanActions LanPlayers::on_gone(PlayerId player) {
  LanActions out;
  drop(player, out);
  return out;
}

void LanPlayers::drop(PlayerId player, LanActions& out) {
  const auto gone = players_.extract(player);
  if (!gone) {
    return;
  }
  auto left = flows_of(gone.mapped().device);
  if (!left.contains(gone.mapped().flow)) {
    out.emplace_back(LanWatch{gone.mapped().device, std::move(left)});
  }
}

LanActions LanPlayers::on_access(const access::Access& access) {
  LanActions out;
  for (auto at = players_.begin(); at != players_.end();) {
    const auto current = at++;
    const auto [id, player] = *current;
    const access::Device* device = access.devices().find(player.device);
    const auto* channel = access.catalogue().find(player.channel);
    const bool stays = device != nullptr && device->lan_link == player.link && channel != nullptr &&
                       channel->flow == player.flow && access.may_continue(device->identity, player.channel);
    if (stays) {
      continue;
    }
    if (player.playing) {
      out.emplace_back(LanCut{id});
    } else {
      out.emplace_back(refusal(id, RefusalCode::kRevoked,
                               "The box's owner has just withdrawn the permission to watch this."));
    }
    drop(id, out);
  }
  return out;
}

LanActions LanPlayers::on_deadline(Time now) {
  LanActions out;
  for (auto at = players_.begin(); at != players_.end();) {
    const auto current = at++;
    if (current->second.playing || current->second.until > now) {
      continue;
    }
    const PlayerId id = current->first;
    out.emplace_back(refusal(id, RefusalCode::kNoSignal,
                             "Nothing of this channel comes from the provider at the moment."));
    drop(id, out);
  }
  return out;
}

Time LanPlayers::next_deadline() const {
  Time next = kNever;
  for (const auto& [id, player] : players_) {
    next = player.playing ? next : std::min(next, player.until);
  }
  return next;
}

bool LanPlayers::is_playing(PlayerId player) const {
  const auto found = players_.find(player);
  return found != players_.end() && found->second.playing;
}

std::set<FlowKey> LanPlayers::flows_of(DeviceId device) const {
  std::set<FlowKey> flows;
  for (const auto& [id, player] : players_) {
    if (player.device == device) {
      flows.insert(player.flow);
    }
  }
  return flows;
}

}  // namespace hearthcast::sessions
