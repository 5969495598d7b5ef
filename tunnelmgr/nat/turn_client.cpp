// The client's own course: allocation, permissions, channels, and what it does when.
#include "tunnelmgr/nat/turn_client.hpp"

#include <algorithm>
#include <utility>

namespace hearthcast::nat {

TurnClient::TurnClient(const Crypto& crypto, const OldHashes& hashes, Random& random, TurnTiming timing)
    : random_(random), timing_(timing), credentials_(crypto, hashes) {}

TurnActions TurnClient::start(TurnAccount account, Time now) {
  TurnActions out;
  const bool same_server = account.server == account_.server;
  const bool goes_on = state_ == State::kAllocated && same_server;
  if (!same_server) {
    credentials_.forget_challenge();
  }
  account_ = std::move(account);
  if (!goes_on) {
    failures_ = 0;
    redirects_ = 0;
    allocate(now, out);
  }
  return out;
}

TurnActions TurnClient::stop() {
  TurnActions out;
  if (state_ == State::kAllocated) {
    Request request;
    request.method = wire::kTurnRefresh;
    request.giving_back = true;
    random_.fill(request.id);
    out.push_back(TurnSend{credentials_.seal(message_of(request))});  // its loss costs ten minutes at most
  }
  forget_allocation();
  permissions_.clear();
  account_ = {};
  credentials_.set_account({}, {});
  credentials_.forget_challenge();
  state_ = State::kIdle;
  retry_at_ = kNever;
  return out;
}

void TurnClient::forget_allocation() {
  requests_.clear();
  channels_.clear();
  provisional_.reset();
  allocation_.reset();
  refresh_at_ = kNever;
  for (auto& [address, permission] : permissions_) {
    permission = {};
  }
}

void TurnClient::allocate(Time now, TurnActions& out) {
  forget_allocation();
  state_ = State::kAllocating;
  retry_at_ = kNever;
  gave_back_ = false;
  credentials_.set_account(account_.username, account_.password);
  ask({.method = wire::kTurnAllocate, .both = true}, now, out);
}

void TurnClient::lose(std::string reason, Duration at_least, Time now, TurnActions& out) {
  forget_allocation();
  state_ = State::kWaiting;
  const Duration back_off = std::min(timing_.retry_last, timing_.retry_first * (1 << std::min(failures_, 8)));
  ++failures_;
  retry_at_ = now + std::max(back_off, at_least);
  last_error_ = reason;
  out.push_back(TurnLost{std::move(reason)});
}

TurnActions TurnClient::permit(std::vector<IpAddress> peers, Time now) {
  std::erase_if(permissions_,
                [&](const auto& entry) { return std::ranges::find(peers, entry.first) == peers.end(); });
  for (const auto& peer : peers) {
    if (permissions_.size() < kMaxPermissions) {
      permissions_.try_emplace(peer);
    }
  }
  TurnActions out;
  renew(now, out);
  return out;
}

std::uint16_t TurnClient::free_number() {
  do {
    next_number_ = next_number_ == wire::kLastChannel ? wire::kFirstChannel
                                                      : static_cast<std::uint16_t>(next_number_ + 1);
  } while (channels_.contains(next_number_));
  return next_number_;
}

std::uint16_t TurnClient::channel(const Endpoint& peer, Time now) {
  const auto known =
      std::ranges::find_if(channels_, [&](const auto& entry) { return entry.second.peer == peer; });
  if (known != channels_.end()) {
    known->second.used = now;
    return known->first;
  }
  // Strangers behind a permitted address cost one number, not one each: it is theirs once it was answered.
  if (const auto unanswered = std::exchange(provisional_, std::nullopt)) {
    channels_.erase(*unanswered);
  }
  if (channels_.size() >= kMaxChannels) {
    channels_.erase(
        std::ranges::min_element(channels_, {}, [](const auto& entry) { return entry.second.used; }));
  }
  provisional_ = free_number();
  channels_[*provisional_] = {.peer = peer, .used = now};
  return *provisional_;
}

std::uint16_t TurnClient::call(const Endpoint& peer, Time now) {
  const std::uint16_t number = channel(peer, now);
  if (provisional_ == number) {
    provisional_.reset();
  }
  return number;
}

TurnActions TurnClient::send(std::uint16_t number, Bytes bytes, Time now) {
  TurnActions out;
  const auto at = channels_.find(number);
  if (at == channels_.end() || !allocation_) {
    return out;
  }
  Channel& channel = at->second;
  channel.used = now;
  if (provisional_ == number) {
    provisional_.reset();
  }
  if (channel.bound) {
    out.push_back(TurnSend{wire::encode_channel_data(number, bytes)});
  } else {
    wire::StunMessage indication;
    indication.message_class = wire::StunClass::kIndication;
    indication.method = wire::kTurnSend;
    random_.fill(indication.transaction);
    indication.xor_peer_addresses = {channel.peer};
    indication.data = Buffer(bytes.begin(), bytes.end());
    if (!channel.asked) {
      bind(number, now, out);
    }
    out.push_back(TurnSend{wire::encode_stun(indication)});
  }
  sent_ = now;
  return out;
}

void TurnClient::bind(std::uint16_t number, Time now, TurnActions& out) {
  Channel& channel = channels_.at(number);
  channel.asked = true;
  channel.renew_at = kNever;
  ask({.method = wire::kTurnChannelBind, .channel = number}, now, out);
}

std::optional<Endpoint> TurnClient::peer(std::uint16_t number) const {
  const auto at = channels_.find(number);
  return at == channels_.end() ? std::nullopt : std::optional(at->second.peer);
}

bool TurnClient::bound(std::uint16_t number) const {
  const auto at = channels_.find(number);
  return at != channels_.end() && at->second.bound;
}

TurnActions TurnClient::on_stun(Bytes datagram, const wire::StunMessage& message, Time now) {
  TurnActions out;
  if (message.message_class == wire::StunClass::kIndication) {
    if (message.method == wire::kTurnData) {
      on_data(message, now, out);
    }
    return out;
  }
  const auto found = std::ranges::find_if(requests_, [&](const Request& request) {
    return request.id == message.transaction && request.method == message.method;
  });
  const bool success = message.message_class == wire::StunClass::kSuccess;
  const bool has_integrity = message.has_integrity || message.has_integrity_sha256;
  // Errors may come before there is a key, or from a server that does not know it; what has an integrity must
  // have the right one.
  if (found == requests_.end() || (!success && !message.error) ||
      ((success || has_integrity) && !credentials_.proves(datagram))) {
    ++counters_.bad_answers;
    return out;
  }
  const Request request = std::move(*found);
  requests_.erase(found);
  if (success) {
    on_success(request, message, now, out);
  } else {
    on_error(request, message, now, out);
  }
  return out;
}

void TurnClient::on_data(const wire::StunMessage& indication, Time now, TurnActions& out) {
  if (!allocation_ || indication.xor_peer_addresses.size() != 1 || !indication.data) {
    ++counters_.bad_answers;
    return;
  }
  out.push_back(TurnReceived{channel(indication.xor_peer_addresses.front(), now), *indication.data});
}

TurnActions TurnClient::on_network_change(Time now) {
  TurnActions out;
  if (state_ != State::kIdle) {
    failures_ = 0;
    allocate(now, out);
  }
  return out;
}

bool TurnClient::serves(Family family) const {
  return allocation_ && (allocation_->relayed.address.family() == family ||
                         (allocation_->relayed6 && family == Family::kIp6));
}

// Permissions, channels, the NAT's mapping.
void TurnClient::renew(Time now, TurnActions& out) {
  if (!allocation_) {
    return;
  }
  for (auto& [address, permission] : permissions_) {
    if (permission.renew_at <= now) {
      permission.renew_at = kNever;
      if (serves(address.family())) {
        ask({.method = wire::kTurnCreatePermission, .address = address}, now, out);
      }
    }
  }
  for (const auto& [number, channel] : channels_) {
    if (channel.renew_at <= now) {
      bind(number, now, out);
    }
  }
  if (refresh_at_ <= now) {
    refresh_at_ = kNever;
    ask({.method = wire::kTurnRefresh}, now, out);
  }
  if (now - sent_ >= timing_.keepalive) {
    wire::StunMessage keepalive;
    keepalive.message_class = wire::StunClass::kIndication;
    random_.fill(keepalive.transaction);
    out.push_back(TurnSend{wire::encode_stun(keepalive)});
    sent_ = now;
  }
}

TurnActions TurnClient::on_deadline(Time now) {
  TurnActions out;
  if (retry_at_ <= now) {
    allocate(now, out);
  }
  std::vector<Request> late;
  for (auto at = requests_.begin(); at != requests_.end();) {
    if (at->next > now) {
      ++at;
    } else if (at->tries < (account_.reliable ? 1 : timing_.tries)) {
      transmit(*at, now, out);
      ++at;
    } else {
      late.push_back(std::move(*at));
      at = requests_.erase(at);
    }
  }
  for (const Request& request : late) {
    if (state_ != State::kWaiting) {
      on_timeout(request, now, out);
    }
  }
  renew(now, out);
  return out;
}

Time TurnClient::next_deadline() const {
  Time next = std::min(retry_at_, refresh_at_);
  for (const Request& request : requests_) {
    next = std::min(next, request.next);
  }
  if (allocation_) {
    next = std::min(next, sent_ + timing_.keepalive);
    for (const auto& [address, permission] : permissions_) {
      next = std::min(next, permission.renew_at);
    }
    for (const auto& [number, channel] : channels_) {
      next = std::min(next, channel.renew_at);
    }
  }
  return next;
}

}  // namespace hearthcast::nat
