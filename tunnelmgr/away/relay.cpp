#include "tunnelmgr/away/relay.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::away {
namespace {

bool is_public(const IpAddress& address) {
  return !address.is_private() && !address.is_loopback() && !address.is_link_local() &&
         !address.is_multicast() && !address.is_unspecified();
}

// The same address with another port: the NAT there gives each destination its own.
bool per_destination(const Endpoint& one, const Endpoint& other) {
  return one.address == other.address && one.port != other.port;
}

}  // namespace

RelayActions Relay::translate(const nat::TurnActions& actions) {
  RelayActions out;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<nat::TurnSend>(&action)) {
      out.push_back(RelaySend{client_.server(), send->bytes});
    } else if (const auto* received = std::get_if<nat::TurnReceived>(&action)) {
      out.push_back(RelayArrived{wire::channel_endpoint(received->channel), received->bytes});
    } else if (const auto* lost = std::get_if<nat::TurnLost>(&action)) {
      out.push_back(RelayFailed{lost->reason});
      out.push_back(RelayChanged{});
    } else {
      out.push_back(RelayChanged{});
    }
  }
  return out;
}

RelayActions Relay::on_account(nat::TurnAccount account, Duration lifetime, Time now) {
  account_ = std::move(account);
  account_until_ = now + lifetime;
  if (client_.active()) {
    return translate(client_.start(*account_, now));
  }
  if (searching_ && !path_) {
    begin_at_ = std::min(begin_at_, now + kPatience);
  }
  return {};
}

RelayActions Relay::on_path(const std::optional<Endpoint>& selected, Time now) {
  const bool first = !std::exchange(searching_, true);
  const auto former = std::exchange(path_, selected);
  if (!first && former == selected) {
    return {};
  }
  const bool direct = selected && !wire::channel_of(*selected);
  end_at_ = direct && client_.active() ? now + kSettled : kNever;
  if (selected) {
    begin_at_ = kNever;
  } else if (!client_.active()) {
    begin_at_ = now + kPatience;
  }
  return {};
}

RelayActions Relay::begin(Time now) {
  begin_at_ = kNever;
  if (!account_ || now >= account_until_) {
    return {};  // on_account() begins
  }
  RelayActions out{RelayChanged{}};
  RelayActions more = set_peers(candidates_, now);
  out.insert(out.end(), more.begin(), more.end());
  more = translate(client_.start(*account_, now));
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

RelayActions Relay::set_peers(const std::vector<Endpoint>& candidates, Time now) {
  candidates_ = candidates;
  std::vector<IpAddress> peers;
  for (const auto& candidate : candidates_) {
    const IpAddress& address = candidate.address;
    if (address.is_ip4() && is_public(address) && std::ranges::find(peers, address) == peers.end()) {
      peers.push_back(address);  // the allocation is of IPv4
    }
  }
  return translate(client_.permit(std::move(peers), now));
}

RelayActions Relay::stop() {
  RelayActions out;
  if (client_.active()) {
    const Endpoint server = client_.server();
    for (const auto& action : client_.stop()) {
      if (const auto* send = std::get_if<nat::TurnSend>(&action)) {
        out.push_back(RelaySend{server, send->bytes});
      }
    }
    out.push_back(RelayChanged{});
  }
  begin_at_ = kNever;
  end_at_ = kNever;
  return out;
}

bool Relay::takes(const Endpoint& from, const wire::StunMessage& decoded) const {
  return client_.active() && from == client_.server() && decoded.method != wire::kStunBinding;
}

RelayActions Relay::on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now) {
  return translate(client_.on_stun(datagram, decoded, now));
}

RelayActions Relay::send(const Endpoint& to, Bytes datagram, Time now) {
  const auto channel = wire::channel_of(to);
  return channel ? translate(client_.send(*channel, datagram, now)) : RelayActions{};
}

RelayActions Relay::on_network_change(Time now) { return translate(client_.on_network_change(now)); }

RelayActions Relay::on_deadline(Time now) {
  if (end_at_ <= now) {
    return stop();
  }
  if (begin_at_ <= now) {
    return begin(now);
  }
  return client_.next_deadline() <= now ? translate(client_.on_deadline(now)) : RelayActions{};
}

Time Relay::next_deadline() const { return std::min({begin_at_, end_at_, client_.next_deadline()}); }

std::optional<Endpoint> Relay::server() const {
  return client_.active() ? std::optional(client_.server()) : std::nullopt;
}

std::optional<Endpoint> Relay::relayed() const {
  const auto& allocation = client_.allocation();
  return allocation ? std::optional(allocation->relayed) : std::nullopt;
}

std::string Relay::reason(const Endpoint& path, const std::optional<Endpoint>& mapped) const {
  const auto channel = wire::channel_of(path);
  const auto peer = channel ? client_.peer(*channel) : std::nullopt;
  const auto& allocation = client_.allocation();
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
