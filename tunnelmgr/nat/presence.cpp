#include "tunnelmgr/nat/presence.hpp"

#include <algorithm>
#include <utility>

#include "tunnelmgr/nat/check.hpp"
#include "tunnelmgr/nat/jitter.hpp"

namespace hearthcast::nat {
namespace {

constexpr std::uint16_t kPadding =
    24;  // the largest XOR-MAPPED-ADDRESS: no answer is larger than its request
constexpr Duration kRto = std::chrono::milliseconds{500};  // RFC 8489 section 6.2.1; doubles

}  // namespace

PresenceActions Presence::start(PresenceAccount account, Time now) {
  account_ = std::move(account);
  transactions_ = {};
  unanswered_ = 0;
  PresenceActions out;
  ask(now, out);
  return out;
}

void Presence::stop() {
  account_.reset();
  transactions_ = {};
  next_ = kNever;
}

PresenceActions Presence::on_deadline(Time now) {
  PresenceActions out;
  if (account_ && now >= next_) {
    if (unanswered_ == kUnansweredLimit) {
      mapped_.reset();  // when it is back, that is news, whether it is another one or not
      out.push_back(PresenceLost{});
    }
    ask(now, out);
  }
  return out;
}

PresenceActions Presence::on_network_change(Time now) {
  PresenceActions out;
  if (account_) {
    unanswered_ = 0;
    ask(now, out);
  }
  return out;
}

void Presence::set_busy(bool busy, Time now) {
  if (std::exchange(busy_, busy) != busy && busy && next_ != kNever) {
    next_ = std::min(next_, now + jittered(kBusyInterval, random_));
  }
}

void Presence::ask(Time now, PresenceActions& out) {
  wire::StunMessage m;
  m.transaction = transactions_.open(account_->server, false, false, now, random_);
  m.username = account_->username;
  m.padding = kPadding;
  out.push_back(SendDatagram{account_->server, wire::encode_stun(m, crypto_, as_bytes(account_->password))});
  const bool unheard = unanswered_ >= kUnansweredLimit;
  const Duration retry = kRto * (1 << std::min(unanswered_, kUnansweredLimit));
  next_ = now + (unheard ? jittered(busy_ ? std::min(kBusyUnheard, account_->interval) : account_->interval,
                                    random_)
                         : std::min(retry, std::max(kRto, interval())));
  ++unanswered_;
}

PresenceActions Presence::on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& message,
                                  Time now) {
  PresenceActions out;
  const bool usable = account_ && message.message_class == wire::StunClass::kSuccess &&
                      message.xor_mapped_address &&
                      wire::check_integrity(datagram, crypto_, as_bytes(account_->password)) &&
                      transactions_.close(message.transaction, from);
  if (!usable) {
    ++bad_answers_;
    return out;
  }
  unanswered_ = 0;
  next_ = now + jittered(interval(), random_);
  if (mapped_ != message.xor_mapped_address) {
    mapped_ = message.xor_mapped_address;
    out.push_back(MappingChanged{*mapped_});
  }
  return out;
}

bool Presence::is_knock(const Endpoint& from, const wire::StunMessage& message) const {
  return account_ && from == account_->server && message.message_class == wire::StunClass::kRequest &&
         message.username == account_->username;
}

PresenceActions Presence::on_knock(Bytes datagram, const wire::StunMessage& message, Time now) {
  PresenceActions out;
  Knocked knocked{{}, message.xor_peer_addresses};
  auto& device = knocked.device.digest;
  if (!message.data || message.data->size() != device.size() || knocked.at.empty() ||
      !wire::check_integrity(datagram, crypto_, as_bytes(account_->password))) {
    ++bad_answers_;
    return out;
  }
  std::ranges::copy(*message.data, device.begin());
  out.push_back(SendDatagram{
      account_->server, build_answer(message.transaction, account_->server, account_->password, crypto_)});
  if (knocks_.take(now)) {
    out.push_back(std::move(knocked));
  }
  return out;
}

}  // namespace hearthcast::nat
