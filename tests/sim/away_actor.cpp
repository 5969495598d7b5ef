#include "tests/sim/away_actor.hpp"

#include <algorithm>

#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::sim {
namespace {

const secure::OpenSslCrypto& crypto() {
  static const secure::OpenSslCrypto instance;
  return instance;
}

Random& random() {
  static secure::OpenSslRandom instance;
  return instance;
}

}  // namespace

AwayActor::AwayActor(World& world, const secure::OpenSslIdentity& identity, const Identity& box)
    : agent(nat::Role::kControlling, nat::credentials_at_device(crypto(), identity, box.public_key())->device,
            nat::credentials_at_device(crypto(), identity, box.public_key())->box, crypto(), random()),
      world_(world),
      dtls_(secure::DtlsContext::make(identity).value()),
      box_(box.id()) {}

void AwayActor::handshake() {
  session_ = std::make_unique<secure::DtlsSession>(dtls_, secure::DtlsRole::kClient, box_);
  end = {};
  greeted_ = false;
  send(session_->start(world_.now()));
}

void AwayActor::send(const std::vector<Buffer>& datagrams) {
  for (const Buffer& datagram : datagrams) {
    if (agent.selected()) {
      world_.send(*this, *agent.selected(), datagram);
    }
  }
  if (established() && !greeted_) {
    greeted_ = true;
    say(end.say(tunnel::DeviceHello{.software = "sim", .name = "Laptop", .channels_revision = 0},
                world_.now()));
  }
}

void AwayActor::say(const sessions::DeviceEnd::Packets& packets) {
  for (const Buffer& gre : packets) {
    if (!established() || !agent.selected()) {
      return;
    }
    Buffer record(gre.size() + secure::kDtlsMaxOverhead);
    record.resize(session_->seal(gre, record));
    world_.send(*this, *agent.selected(), record);
  }
}

void AwayActor::perform(const nat::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
      world_.send(*this, datagram->to, datagram->bytes);
    } else if (std::holds_alternative<nat::PathSelected>(action) && !session_) {
      handshake();
    } else if (std::holds_alternative<nat::PathLost>(action)) {
      session_.reset();
    }
  }
}

void AwayActor::on_datagram(const Endpoint& from, Bytes bytes, Time now) {
  if (wire::classify(bytes) == wire::DatagramKind::kStun) {
    perform(agent.on_stun(from, bytes, now));
    return;
  }
  if (!session_) {
    return;
  }
  if (!established()) {
    send(session_->on_datagram(bytes, now));
    return;
  }
  Buffer plain(2048);
  const auto size = session_->open(bytes, plain);
  if (!size) {
    return;
  }
  plain.resize(*size);
  const auto inner = tunnel::decode_inner_packet(plain);
  if (inner && inner->kind == tunnel::InnerKind::kMedia) {
    ++media;
    flows.insert(inner->key);
  } else {
    say(end.on_gre(plain, now));
  }
}

void AwayActor::on_deadline(Time now) {
  if (agent.next_deadline() <= now) {
    perform(agent.on_deadline(now));
  }
  if (session_ && session_->next_deadline() <= now) {
    send(session_->on_deadline(now));
  }
  if (end.next_deadline() <= now) {
    say(end.on_deadline(now));
  }
}

Time AwayActor::next_deadline() const {
  return std::min(
      {agent.next_deadline(), session_ ? session_->next_deadline() : kNever, end.next_deadline()});
}

}  // namespace hearthcast::sim
