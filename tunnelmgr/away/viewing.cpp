#include "tunnelmgr/away/viewing.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/away/refusal_match.hpp"

namespace hearthcast::away {
namespace {

int status_of(tunnel::RefusalCode code) {
  switch (code) {
    case tunnel::RefusalCode::kUnknownChannel:
      return 404;
    case tunnel::RefusalCode::kLimit:
    case tunnel::RefusalCode::kNoSignal:
    case tunnel::RefusalCode::kPath:
      return 503;
    case tunnel::RefusalCode::kNotGranted:
    case tunnel::RefusalCode::kPending:
    case tunnel::RefusalCode::kRevoked:
      return 403;
  }
  return 503;
}

std::string words_of(const tunnel::Refusal& refusal) {
  return refusal.text.empty()
             ? std::string("The box refuses this channel: ") + tunnel::to_string(refusal.code) + "."
             : refusal.text;
}

}  // namespace

const tunnel::Channel* Viewing::find(ChannelId channel) const {
  const auto at = std::find_if(channels_.begin(), channels_.end(),
                               [channel](const tunnel::Channel& c) { return c.id == channel; });
  return at == channels_.end() ? nullptr : &*at;
}

std::string Viewing::unreachable() const {
  return "The box is not reachable at the moment: " + reachability_.explanation;
}

ViewingActions Viewing::on_request(RequestId request, ChannelId channel, Time now) {
  ViewingActions out;
  if (reachability_.connected && !reachability_.approved) {
    out.emplace_back(Answer{request, reachability_.status, reachability_.explanation});
    return out;
  }
  const auto* known = find(channel);
  if (known == nullptr) {
    if (!reachability_.connected && channels_.empty()) {
      out.emplace_back(Answer{request, 503, unreachable()});
    } else {
      out.emplace_back(
          Answer{request, 404,
                 "There is no such channel, or it is not granted to this device. The playlist has "
                 "those that are."});
    }
    return out;
  }
  const auto [at, is_new] = watched_.try_emplace(channel);
  auto& watched = at->second;
  if (is_new) {
    watched.flow = known->flow;
    out.emplace_back(Want{channel, watched.flow});
  }
  if (watched.present) {
    ++watched.players;
    out.emplace_back(Play{request, channel});
  } else {
    watched.waiting.push_back({request, now + kPatience});
  }
  return out;
}

ViewingActions Viewing::on_signal(ChannelId channel, bool present) {
  ViewingActions out;
  const auto at = watched_.find(channel);
  if (at == watched_.end()) {
    return out;
  }
  auto& watched = at->second;
  watched.present = present;
  if (present) {
    for (const auto& waiting : std::exchange(watched.waiting, {})) {
      ++watched.players;
      out.emplace_back(Play{waiting.request, channel});
    }
  }
  return out;
}

void Viewing::refuse_waiting(Watched& watched, int status, const std::string& text, ViewingActions& out) {
  for (const auto& waiting : std::exchange(watched.waiting, {})) {
    out.emplace_back(Answer{waiting.request, status, text});
  }
}

void Viewing::end(std::map<ChannelId, Watched>::iterator at, int status, const std::string& text,
                  ViewingActions& out) {
  refuse_waiting(at->second, status, text, out);
  out.emplace_back(Unwant{at->first, at->second.flow});
  watched_.erase(at);
}

void Viewing::drop_if_unused(std::map<ChannelId, Watched>::iterator at, ViewingActions& out) {
  if (at->second.players == 0 && at->second.waiting.empty()) {
    out.emplace_back(Unwant{at->first, at->second.flow});
    watched_.erase(at);
  }
}

ViewingActions Viewing::on_refusal(const tunnel::Refusal& refusal) {
  ViewingActions out;
  for (auto at = watched_.begin(); at != watched_.end();) {
    const auto current = at++;
    if (!is_about(refusal.flow, current->second.flow)) {
      continue;
    }
    if (refusal.code ==
        tunnel::RefusalCode::kNoSignal) {  // the provider's silence: players may wait for its end
      refuse_waiting(current->second, status_of(refusal.code), words_of(refusal), out);
      drop_if_unused(current, out);
    } else {
      end(current, status_of(refusal.code), words_of(refusal), out);
    }
  }
  return out;
}

ViewingActions Viewing::on_player_gone(ChannelId channel) {
  ViewingActions out;
  const auto at = watched_.find(channel);
  if (at != watched_.end() && at->second.players > 0) {
    --at->second.players;
    drop_if_unused(at, out);
  }
  return out;
}

ViewingActions Viewing::on_reachability(Reachability reachability) {
  ViewingActions out;
  reachability_ = std::move(reachability);
  if (!reachability_.connected || reachability_.approved) {
    return out;  // players and requests wait for the box's return
  }
  while (!watched_.empty()) {
    end(watched_.begin(), reachability_.status, reachability_.explanation, out);
  }
  return out;
}

// A channel that left the list is not cut here: the box decides, and says so by a refusal.
ViewingActions Viewing::on_channels(const std::vector<tunnel::Channel>& channels) {
  channels_ = channels;
  ViewingActions out;
  for (auto at = watched_.begin(); at != watched_.end();) {
    const auto current = at++;
    const auto* known = find(current->first);
    if (known != nullptr && known->flow != current->second.flow) {
      end(current, 503, "The channel has moved to another address; open it again.", out);
    }
  }
  return out;
}

ViewingActions Viewing::on_deadline(Time now) {
  ViewingActions out;
  for (auto at = watched_.begin(); at != watched_.end();) {
    const auto current = at++;
    auto& waiting = current->second.waiting;
    const auto late = std::stable_partition(waiting.begin(), waiting.end(),
                                            [now](const Waiting& w) { return w.until > now; });
    for (auto request = late; request != waiting.end(); ++request) {
      out.emplace_back(Answer{request->request, 503,
                              reachability_.connected
                                  ? "The box sends nothing of this channel. Perhaps the provider is silent."
                                  : unreachable()});
    }
    const bool any = late != waiting.end();
    waiting.erase(late, waiting.end());
    if (any) {
      drop_if_unused(current, out);
    }
  }
  return out;
}

Time Viewing::next_deadline() const {
  Time first = kNever;
  for (const auto& [channel, watched] : watched_) {
    for (const auto& waiting : watched.waiting) {
      first = std::min(first, waiting.until);
    }
  }
  return first;
}

std::vector<FlowKey> Viewing::wanted() const {
  std::vector<FlowKey> flows;
  for (const auto& [channel, watched] : watched_) {
    flows.push_back(watched.flow);
  }
  return flows;
}

const FlowKey* Viewing::flow(ChannelId channel) const {
  const auto at = watched_.find(channel);
  return at == watched_.end() ? nullptr : &at->second.flow;
}

}  // namespace hearthcast::away
