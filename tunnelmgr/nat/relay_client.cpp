#include "tunnelmgr/nat/relay_client.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hearthcast::nat {
namespace {

bool is_public(const IpAddress& address) {
  return !address.is_private() && !address.is_loopback() && !address.is_link_local() &&
         !address.is_multicast() && !address.is_unspecified();
}

void append(RelayActions& out, RelayActions more) { std::ranges::move(more, std::back_inserter(out)); }

}  // namespace

RelayActions RelayClient::translate(const TurnActions& actions, Time now) {
  RelayActions out;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<TurnSend>(&action)) {
      out.push_back(RelaySend{client_.server(), by_stream(), send->bytes});
    } else if (const auto* received = std::get_if<TurnReceived>(&action)) {
      out.push_back(RelayArrived{wire::channel_endpoint(received->channel), received->bytes});
    } else if (const auto* lost = std::get_if<TurnLost>(&action)) {
      out.push_back(RelayFailed{lost->reason});
      out.push_back(RelayChanged{});
      if (account_->servers.size() > 1 || by_stream()) {
        append(out, try_next(now));
        return out;
      }
    } else if (std::holds_alternative<TurnRedirected>(action) && by_stream()) {
      out.push_back(RelayFailed{"the relay sends its clients to another one"});
      append(out, try_next(now));
      return out;
    } else {
      rounds_ = 0;
      out.push_back(RelayChanged{std::holds_alternative<TurnAllocated>(action)});
    }
  }
  return out;
}

RelayActions RelayClient::on_account(RelayAccount account, Duration lifetime, Time now) {
  account_ = std::move(account);
  account_until_ = now + lifetime;
  return client_.active()
             ? translate(client_.start(
                             {current_->endpoint, account_->username, account_->password, by_stream()}, now),
                         now)
             : RelayActions{};
}

RelayActions RelayClient::begin(Time now) {
  auto out = current_ ? drop() : RelayActions{};
  retry_at_ = kNever;
  index_ = 0;
  if (account_ && now < account_until_ && !account_->servers.empty()) {
    append(out, attempt(now));
  }
  return out;
}

void RelayClient::set_wanted(bool wanted) {
  wanted_ = wanted;
  if (!wanted) {
    retry_at_ = kNever;
  }
}

RelayActions RelayClient::attempt(Time now) {
  current_ = account_->servers[index_];
  if (by_stream()) {
    give_up_at_ = now + kStreamPatience;
    return {RelayConnect{++stream_, *current_}};
  }
  give_up_at_ =
      account_->servers.size() > 1 ? now + (udp_passes_ ? kProvenUdpPatience : kUdpPatience) : kNever;
  return ask(now);
}

RelayActions RelayClient::ask(Time now) {
  RelayActions out{RelayChanged{}};
  append(out, translate(client_.permit(permitted_, now), now));
  append(out, translate(client_.start(
                            {current_->endpoint, account_->username, account_->password, by_stream()}, now),
                        now));
  return out;
}

RelayActions RelayClient::on_stream(std::uint64_t id, bool open, const std::string& reason, Time now) {
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
RelayActions RelayClient::drop() {
  if (client_.active()) {
    (void)client_.stop();
  }
  current_.reset();
  give_up_at_ = kNever;
  return {RelayChanged{}};
}

RelayActions RelayClient::try_next(Time now) {
  auto out = drop();
  if (++index_ < account_->servers.size() && now < account_until_) {
    append(out, attempt(now));
  } else if (wanted_) {
    retry_at_ = now + std::min(kLastPause, kFirstPause * (1 << std::min(rounds_++, 5)));
  }
  return out;
}

RelayActions RelayClient::permit(const std::vector<Endpoint>& peers, Time now) {
  permitted_.clear();
  for (const Endpoint& peer : peers) {
    if (is_public(peer.address) && std::ranges::find(permitted_, peer.address) == permitted_.end()) {
      permitted_.push_back(peer.address);
    }
  }
  return translate(client_.permit(permitted_, now), now);
}

std::optional<Endpoint> RelayClient::call(const Endpoint& peer, Time now) {
  const auto in_its_family = [&](const std::optional<Endpoint>& own) {
    return own && own->address.family() == peer.address.family();
  };
  return in_its_family(relayed()) || in_its_family(relayed6())
             ? std::optional(wire::channel_endpoint(client_.call(peer, now)))
             : std::nullopt;
}

RelayActions RelayClient::stop() {
  RelayActions out;
  if (client_.active()) {
    const Endpoint server = client_.server();
    for (const auto& action : client_.stop()) {
      if (const auto* send = std::get_if<TurnSend>(&action)) {
        out.push_back(RelaySend{server, by_stream(), send->bytes});
      }
    }
  }
  if (current_) {
    append(out, drop());
  }
  retry_at_ = kNever;
  return out;
}

bool RelayClient::takes(const Endpoint& from, const wire::StunMessage& decoded) const {
  return client_.active() && from == client_.server() && decoded.method != wire::kStunBinding;
}

RelayActions RelayClient::on_stun(Bytes datagram, const wire::StunMessage& decoded, Time now) {
  give_up_at_ = kNever;  // it is there, whatever it says
  return translate(client_.on_stun(datagram, decoded, now), now);
}

RelayActions RelayClient::send(const Endpoint& to, Bytes datagram, Time now) {
  const auto channel = wire::channel_of(to);
  return channel ? translate(client_.send(*channel, datagram, now), now) : RelayActions{};
}

RelayActions RelayClient::on_deadline(Time now) {
  if (retry_at_ <= now) {
    return begin(now);
  }
  if (give_up_at_ <= now) {
    RelayActions out{RelayFailed{"the relay " + current_->endpoint.to_string() + " does not answer over " +
                                 to_string(current_->transport)}};
    append(out, try_next(now));
    return out;
  }
  return client_.next_deadline() <= now ? translate(client_.on_deadline(now), now) : RelayActions{};
}

Time RelayClient::next_deadline() const {
  return std::min({retry_at_, give_up_at_, client_.next_deadline()});
}

std::optional<Endpoint> RelayClient::server() const {
  return client_.active() ? std::optional(client_.server()) : std::nullopt;
}

std::optional<Endpoint> RelayClient::relayed() const {
  const auto& allocation = client_.allocation();
  return allocation ? std::optional(allocation->relayed) : std::nullopt;
}

std::optional<Endpoint> RelayClient::relayed6() const {
  const auto& allocation = client_.allocation();
  return allocation ? allocation->relayed6 : std::nullopt;
}

std::optional<Endpoint> RelayClient::peer(const Endpoint& behind) const {
  const auto channel = wire::channel_of(behind);
  return channel ? client_.peer(*channel) : std::nullopt;
}

}  // namespace hearthcast::nat
