#include "tunnelmgr/tunnel/static_peer.hpp"

#include <utility>

#include "tunnelmgr/tunnel/ayiya_encapsulation.hpp"
#include "tunnelmgr/wire/heartbeat.hpp"

namespace hearthcast::tunnel {

StaticPeer::StaticPeer(StaticPeerSettings settings, const Tools& tools)
    : settings_(std::move(settings)),
      tools_(tools),
      encapsulation_(make_encapsulation(settings_.encapsulation, tools.hashes)),
      endpoint_(settings_.endpoint) {}

bool StaticPeer::is_hardened() const {
  return settings_.encapsulation.form == Form::kAyiya &&
         settings_.encapsulation.ayiya.hash == wire::AyiyaHash::kHmacSha256;
}

// A peer may use any source port: RFC 8086 has it differ per flow, and Linux chooses one by a hash.
bool StaticPeer::claims(const Endpoint& from, Bytes datagram) const {
  if (settings_.encapsulation.form == Form::kAyiya) {
    return names_ayiya_peer(settings_.encapsulation.ayiya, datagram);
  }
  return endpoint_ && endpoint_->address == from.address;
}

StaticPeer::Reaction StaticPeer::on_datagram(const Endpoint& from, Bytes datagram, const Moment& moment) {
  if (!learns() && settings_.endpoint->address != from.address) {
    count(Drop::kSource);
    return {};
  }
  const auto opened = encapsulation_->open(datagram, moment);
  if (!opened) {
    count(opened.error());
    return {};
  }
  return perform(*opened, from, datagram.size(), moment);
}

StaticPeer::Reaction StaticPeer::perform(const Opened& opened, const Endpoint& from, std::size_t size,
                                         const Moment& moment) {
  if (opened.kind == Opened::Kind::kEchoResponse) {
    on_answered(from, opened.payload, moment.now);
    return {};
  }
  Reaction reaction;
  if (opened.kind == Opened::Kind::kEchoRequest) {
    if (auto echo = encapsulation_->signal(wire::AyiyaOpcode::kEchoResponse, opened.payload, moment)) {
      reaction.answer = Answer{from, std::move(*echo)};
    }
  }
  const bool elsewhere = learns() && endpoint_ != from && settings_.encapsulation.form == Form::kAyiya;
  if (elsewhere && is_hardened()) {
    // Nothing that it says counts before it has shown that it is there.
    return {{}, reaction.answer ? std::move(reaction.answer) : challenge(from, size, moment)};
  }
  if (elsewhere) {
    move(from);
  }
  last_received_ = moment.now;
  if (opened.kind == Opened::Kind::kPacket) {
    ++counters_.received;
    reaction.packet = opened.payload;
  }
  return reaction;
}

std::optional<StaticPeer::Answer> StaticPeer::challenge(const Endpoint& from, std::size_t size,
                                                        const Moment& moment) {
  const bool waiting = challenge_ && moment.now - challenge_->sent < std::chrono::seconds{1};
  Challenge next{from, {}, moment.now};
  if (waiting || size < encapsulation_->header_size() + next.nonce.size()) {
    return std::nullopt;  // one a second, and none that is larger than what asked for it
  }
  tools_.random.fill(next.nonce);
  auto datagram = encapsulation_->signal(wire::AyiyaOpcode::kEchoRequest, next.nonce, moment);
  challenge_ = next;
  ++counters_.challenges;
  return Answer{from, std::move(*datagram)};
}

void StaticPeer::on_answered(const Endpoint& from, Bytes nonce, Time now) {
  if (!challenge_ || challenge_->to != from || now - challenge_->sent > kChallengePatience ||
      !Crypto::equal(challenge_->nonce, nonce)) {
    count(Drop::kUnwanted);
    return;
  }
  challenge_.reset();
  last_received_ = now;
  move(from);
}

void StaticPeer::move(const Endpoint& to) {
  endpoint_ = to;
  ++counters_.moves;
}

bool StaticPeer::on_heartbeat(const Endpoint& from, Bytes datagram, const Moment& moment) {
  const auto heartbeat = wire::decode_heartbeat(datagram);
  if (!settings_.heartbeat || !heartbeat || heartbeat->tunnel != settings_.heartbeat->tunnel) {
    return false;
  }
  const auto apart = static_cast<std::int32_t>(static_cast<std::uint32_t>(heartbeat->time) - moment.epoch);
  if (!wire::is_heartbeat_signed(datagram, settings_.heartbeat->password, tools_.hashes.old)) {
    count(Drop::kSignature);
  } else if (!from.address.is_ip4() || (heartbeat->address && *heartbeat->address != from.address)) {
    count(Drop::kSource);
  } else if (apart > kHeartbeatWindow.count() || apart < -kHeartbeatWindow.count()) {
    count(Drop::kTime);
  } else if (heartbeat->time <= last_heartbeat_) {
    count(Drop::kReplay);  // each must be later than the one before
  } else {
    last_heartbeat_ = heartbeat->time;
    last_received_ = moment.now;
    if (learns() && (!endpoint_ || endpoint_->address != from.address)) {
      move({from.address, 0});
    }
  }
  return true;
}

void StaticPeer::on_tick(Time now) {
  if (learns() && endpoint_ && last_received_ && now - *last_received_ >= kGone) {
    endpoint_.reset();
  }
}

}  // namespace hearthcast::tunnel
