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

void append(RelayActions& out, RelayActions more) { std::ranges::move(more, std::back_inserter(out)); }

}  // namespace

const char* to_string(RelayTransport transport) {
  switch (transport) {
    case RelayTransport::kUdp:
      return "udp";
    case RelayTransport::kTcp:
      return "tcp";
    case RelayTransport::kTls:
      return "tls";
  }
  return "";
}

RelayActions Relay::translate(const nat::TurnActions& actions, Time now) {
  RelayActions out;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<nat::TurnSend>(&action)) {
      out.push_back(RelaySend{client_.server(), by_stream(), send->bytes});
    } else if (const auto* received = std::get_if<nat::TurnReceived>(&action)) {
      out.push_back(RelayArrived{wire::channel_endpoint(received->channel), received->bytes});
    } else if (const auto* lost = std::get_if<nat::TurnLost>(&action)) {
      out.push_back(RelayFailed{lost->reason});
      out.push_back(RelayChanged{});
      if (account_->servers.size() > 1 || by_stream()) {
        append(out, try_next(now));
        return out;
      }
    } else if (std::holds_alternative<nat::TurnRedirected>(action) && by_stream()) {
      out.push_back(RelayFailed{"the relay sends its clients to another one"});
      append(out, try_next(now));
      return out;
    } else {
      rounds_ = 0;
      if (std::holds_alternative<nat::TurnAllocated>(action) && !path_) {
        expect_path(now);
      }
      out.push_back(RelayChanged{});
    }
  }
  return out;
}

Duration Relay::patience() const {
  return policy_ == signalling::RelayPolicy::kAlways ? Duration{} : kPatience;
}

RelayActions Relay::set_policy(signalling::RelayPolicy policy, Time now) {
  if (std::exchange(policy_, policy) == policy) {
    return {};
  }
  if (policy == signalling::RelayPolicy::kNever) {
    return stop();
  }
  if (searching_ && !path_ && !current_) {
    begin_at_ = std::min(begin_at_, now + patience());
  }
  return {};
}

RelayActions Relay::on_account(RelayAccount account, Duration lifetime, Time now) {
  account_ = std::move(account);
  account_until_ = now + lifetime;
  if (client_.active()) {
    return translate(
        client_.start({current_->endpoint, account_->username, account_->password, by_stream()}, now), now);
  }
  if (searching_ && !path_ && !current_) {
    begin_at_ = std::min(begin_at_, now + patience());
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
  end_at_ = direct && current_ ? now + kSettled : kNever;
  vain_at_ = kNever;
  if (selected) {
    begin_at_ = kNever;
    vain_ = 0;
  } else if (!current_) {
    begin_at_ = now + patience();
  } else if (former && wire::channel_of(*former)) {  // it does not carry any more: from the beginning
    auto out = drop();
    append(out, begin(now));
    return out;
  } else if (client_.allocation()) {
    expect_path(now);
  }
  return {};
}

void Relay::expect_path(Time now) {
  vain_at_ = now + std::min<Duration>(kLastPause, kVain * (1 << std::min(vain_, 3)));
}

RelayActions Relay::begin(Time now) {
  begin_at_ = kNever;
  index_ = 0;
  if (!account_ || now >= account_until_ || account_->servers.empty() ||
      policy_ == signalling::RelayPolicy::kNever) {
    return {};  // on_account() or set_policy() begins
  }
  return attempt(now);
}

RelayActions Relay::attempt(Time now) {
  current_ = account_->servers[index_];
  if (by_stream()) {
    give_up_at_ = now + kStreamPatience;
    return {RelayConnect{++stream_, *current_}};
  }
  give_up_at_ =
      account_->servers.size() > 1 ? now + (udp_passes_ ? kProvenUdpPatience : kUdpPatience) : kNever;
  return ask(now);
}

RelayActions Relay::ask(Time now) {
  RelayActions out{RelayChanged{}};
  append(out, set_peers(candidates_, now));
  append(out, translate(client_.start(
                            {current_->endpoint, account_->username, account_->password, by_stream()}, now),
                        now));
  return out;
}

RelayActions Relay::on_stream(std::uint64_t id, bool open, const std::string& reason, Time now) {
  if (id != stream_ || !by_stream()) {
    return {};
  }
  if (open) {
    give_up_at_ = now + kStreamPatience;
    return ask(now);
  }
  RelayActions out{RelayFailed{current_->endpoint.to_string() + " over " + to_string(current_->transport) +
                               ": " + reason}};
  append(out, try_next(now));
  return out;
}

// Without a word to the relay, which is not there or does not want us.
RelayActions Relay::drop() {
  if (client_.active()) {
    (void)client_.stop();
  }
  current_.reset();
  give_up_at_ = kNever;
  vain_at_ = kNever;
  return {RelayChanged{}};
}

RelayActions Relay::try_next(Time now) {
  auto out = drop();
  if (++index_ < account_->servers.size() && now < account_until_) {
    append(out, attempt(now));
  } else if (!path_ || wire::channel_of(*path_)) {
    begin_at_ = now + std::min(kLastPause, kFirstPause * (1 << std::min(rounds_++, 5)));
  }
  return out;
}

RelayActions Relay::set_peers(const std::vector<Endpoint>& candidates, Time now) {
  candidates_ = candidates;
  std::vector<IpAddress> peers;
  for (const auto& candidate : candidates_) {
    const IpAddress& address = candidate.address;
    if (is_public(address) && std::ranges::find(peers, address) == peers.end()) {
      peers.push_back(address);
    }
  }
  return translate(client_.permit(std::move(peers), now), now);
}

RelayActions Relay::stop() {
  RelayActions out;
  if (client_.active()) {
    const Endpoint server = client_.server();
    for (const auto& action : client_.stop()) {
      if (const auto* send = std::get_if<nat::TurnSend>(&action)) {
        out.push_back(RelaySend{server, by_stream(), send->bytes});
      }
    }
  }
  if (current_) {
    append(out, drop());
  }
  begin_at_ = kNever;
  end_at_ = kNever;
  return out;
}

bool Relay::takes(const Endpoint& from, const wire::StunMessage& decoded) const {
  return client_.active() && from == client_.server() && decoded.method != wire::kStunBinding;
}

RelayActions Relay::on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now) {
  give_up_at_ = kNever;  // it is there, whatever it says
  return translate(client_.on_stun(datagram, decoded, now), now);
}

RelayActions Relay::send(const Endpoint& to, Bytes datagram, Time now) {
  const auto channel = wire::channel_of(to);
  return channel ? translate(client_.send(*channel, datagram, now), now) : RelayActions{};
}

RelayActions Relay::on_network_change(Time now) {
  udp_passes_ = false;
  if (!current_) {
    return {};
  }
  auto out = drop();
  append(out, begin(now));
  return out;
}

RelayActions Relay::on_deadline(Time now) {
  if (end_at_ <= now) {
    return stop();
  }
  if (begin_at_ <= now) {
    return begin(now);
  }
  if (give_up_at_ <= now) {
    RelayActions out{RelayFailed{"the relay " + current_->endpoint.to_string() + " does not answer over " +
                                 to_string(current_->transport)}};
    append(out, try_next(now));
    return out;
  }
  if (vain_at_ <= now) {
    ++vain_;
    auto out = drop();
    append(out, begin(now));
    return out;
  }
  return client_.next_deadline() <= now ? translate(client_.on_deadline(now), now) : RelayActions{};
}

Time Relay::next_deadline() const {
  return std::min({begin_at_, give_up_at_, end_at_, vain_at_, client_.next_deadline()});
}

std::optional<Endpoint> Relay::server() const {
  return client_.active() ? std::optional(client_.server()) : std::nullopt;
}

std::optional<Endpoint> Relay::relayed() const {
  const auto& allocation = client_.allocation();
  return allocation ? std::optional(allocation->relayed) : std::nullopt;
}

std::optional<Endpoint> Relay::relayed6() const {
  const auto& allocation = client_.allocation();
  return allocation ? allocation->relayed6 : std::nullopt;
}

std::string Relay::reason(const Endpoint& path, const std::optional<Endpoint>& mapped) const {
  if (policy_ == signalling::RelayPolicy::kAlways) {
    return "the settings want it";
  }
  if (by_stream()) {
    return mapped ? "the relay does not serve this device over UDP" : "this network blocks UDP";
  }
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
