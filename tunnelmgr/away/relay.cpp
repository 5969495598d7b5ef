#include "tunnelmgr/away/relay.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::away {
namespace {

using nat::RelayActions;
using signalling::RelayPolicy;

// The same address with another port: the NAT there gives each destination its own.
bool per_destination(const Endpoint& one, const Endpoint& other) {
  return one.address == other.address && one.port != other.port;
}

}  // namespace

void Relay::expect_path(Time now) {
  vain_at_ = now + std::min<Duration>(nat::RelayClient::kLastPause, kVain * (1 << std::min(vain_, 3)));
}

// What has become of the allocation.
RelayActions Relay::watch(RelayActions actions, Time now) {
  for (const auto& action : actions) {
    const auto* changed = std::get_if<nat::RelayChanged>(&action);
    if (changed != nullptr && changed->allocated && !path_) {
      expect_path(now);
    }
  }
  if (!held_.relayed()) {
    vain_at_ = kNever;
  }
  return actions;
}

RelayActions Relay::begin(Time now) {
  begin_at_ = kNever;
  return policy_ == RelayPolicy::kNever ? RelayActions{} : watch(held_.begin(now), now);
}

void Relay::begin_soon(Time now) {
  if (searching_ && !path_ && !held_.busy()) {
    begin_at_ = std::min(begin_at_, now + (policy_ == RelayPolicy::kAlways ? Duration{} : kPatience));
  }
}

RelayActions Relay::set_policy(RelayPolicy policy, Time now) {
  if (std::exchange(policy_, policy) == policy) {
    return {};
  }
  if (policy == RelayPolicy::kNever) {
    return stop();
  }
  begin_soon(now);
  return {};
}

RelayActions Relay::on_account(nat::RelayAccount account, Duration lifetime, Time now) {
  auto out = watch(held_.on_account(std::move(account), lifetime, now), now);
  begin_soon(now);
  return out;
}

RelayActions Relay::on_path(const std::optional<Endpoint>& selected, Time now) {
  const bool first = !std::exchange(searching_, true);
  const auto former = std::exchange(path_, selected);
  if (!first && former == selected) {
    return {};
  }
  const bool direct = selected && !wire::channel_of(*selected);
  held_.set_wanted(!direct);
  end_at_ = direct && held_.busy() ? now + kSettled : kNever;
  vain_at_ = kNever;
  if (selected) {
    begin_at_ = kNever;
    vain_ = 0;
  } else if (!held_.busy()) {
    begin_soon(now);
  } else if (former && wire::channel_of(*former)) {  // it does not carry any more: from the beginning
    return begin(now);
  } else if (held_.relayed()) {
    expect_path(now);
  }
  return {};
}

void Relay::on_doubt(bool doubted, Time now) {
  if (!path_ || wire::channel_of(*path_) || policy_ == RelayPolicy::kNever) {
    return;
  }
  held_.set_wanted(doubted);
  if (held_.busy()) {
    end_at_ = doubted ? kNever : now + kSettled;
  } else {
    begin_at_ = doubted ? now + kPatience : kNever;
  }
}

RelayActions Relay::permit(Time now) {
  auto peers = box_relays_;
  peers.insert(peers.end(), candidates_.begin(), candidates_.end());
  return watch(held_.permit(peers, now), now);
}

RelayActions Relay::set_peers(const std::vector<Endpoint>& candidates, Time now) {
  candidates_ = candidates;
  return permit(now);
}

RelayActions Relay::set_box_relays(std::vector<Endpoint> relays, Time now) {
  box_relays_ = std::move(relays);
  return permit(now);
}

RelayActions Relay::on_stream(std::uint64_t id, bool open, const std::string& reason, Time now) {
  return watch(held_.on_stream(id, open, reason, now), now);
}

RelayActions Relay::forget() {
  auto out = stop();
  held_.forget_account();
  box_relays_.clear();
  path_.reset();
  searching_ = false;
  return out;
}

RelayActions Relay::stop() {
  begin_at_ = kNever;
  end_at_ = kNever;
  vain_at_ = kNever;
  return held_.stop();
}

RelayActions Relay::on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now) {
  return watch(held_.on_stun(datagram, decoded, now), now);
}

RelayActions Relay::send(const Endpoint& to, Bytes datagram, Time now) {
  return watch(held_.send(to, datagram, now), now);
}

RelayActions Relay::on_network_change(Time now) {
  held_.on_udp(false);
  return held_.busy() ? begin(now) : RelayActions{};
}

RelayActions Relay::on_deadline(Time now) {
  if (end_at_ <= now) {
    return stop();
  }
  if (begin_at_ <= now) {
    return begin(now);
  }
  if (vain_at_ <= now) {
    ++vain_;
    return begin(now);
  }
  return watch(held_.on_deadline(now), now);
}

Time Relay::next_deadline() const { return std::min({begin_at_, end_at_, vain_at_, held_.next_deadline()}); }

std::string Relay::reason(const Endpoint& path, const std::optional<Endpoint>& mapped) const {
  const bool own = wire::channel_of(path).has_value();
  const auto peer = held_.peer(path);
  const bool box_is_relayed = !own || (peer && std::ranges::find(box_relays_, *peer) != box_relays_.end());
  if (own && policy_ == RelayPolicy::kAlways) {
    return "the settings want it";
  }
  if (own && held_.by_stream() && !mapped) {
    return box_is_relayed ? "this network and the home network block UDP" : "this network blocks UDP";
  }
  if (box_is_relayed) {
    return "the home network blocks UDP";
  }
  if (held_.by_stream()) {
    return "the relay does not serve this device over UDP";
  }
  const auto& allocation = held_.client().allocation();
  const bool here = mapped && allocation && per_destination(*mapped, allocation->mapped);
  const bool there = peer && std::ranges::find(candidates_, *peer) == candidates_.end() &&
                     std::ranges::any_of(candidates_, [&](const Endpoint& candidate) {
                       return per_destination(candidate, *peer);
                     });
  if (here && there) {
    return "both NATs assign a port per destination";
  }
  if (here) {
    return "the NAT of this network assigns a port per destination";
  }
  if (there) {
    return "the NAT at home assigns a port per destination";
  }
  return mapped ? "no direct way lets packets through"
                : "this network lets no packets through to the rendezvous";
}

}  // namespace hearthcast::away
