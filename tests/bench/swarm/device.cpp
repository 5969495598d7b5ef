#include "tests/bench/swarm/device.hpp"

#include <array>
#include <stdexcept>
#include <variant>

#include "tunnelmgr/secure/dtls_context.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/wire/membership_packet.hpp"

namespace hearthcast::swarm {
namespace {

template <class T>
T value_or_throw(Result<T, Failure> result) {
  if (!result) {
    throw std::runtime_error(result.error().text);
  }
  return std::move(*result);
}

}  // namespace

Device::Device()
    : dtls_(value_or_throw(secure::DtlsContext::make(identity_))),
      socket_(value_or_throw(linux::UdpSocket::open({}))),
      reader_(socket_, table_, counters_, route_) {}

void Device::connect(Bytes box_public_key, const Endpoint& box, Time now) {
  now_ = now;
  const auto credentials = nat::credentials_at_device(crypto_, identity_, box_public_key);
  if (!credentials) {
    throw std::runtime_error("the box's key is none");
  }
  context_.emplace(away::LinkContext{dtls_, crypto_, random_, log_,
                                     IdentityId{crypto_.sha256(box_public_key)}, *credentials});
  link_.emplace(*context_, *this);
  link_->on_candidates({{nat::CandidateType::kHost, box}}, now);
}

bool Device::connected() const { return link_ && link_->status().phase == away::LinkPhase::kConnected; }

void Device::say(const std::vector<wire::GroupRecord>& records) {
  const auto status = link_->status();
  if (!status.hello) {
    ++unsent_;
    return;
  }
  wire::MembershipReport report;
  report.records = records;
  const Buffer packet =
      wire::encode_membership_packet({status.hello->link_local, wire::kAllMld2Routers, std::move(report)});
  seal(peer_, tunnel::encode_membership(packet));
}

void Device::on_readable(linux::ReceiveBatch& batch, Time now) {
  now_ = now;
  for (int turns = 0; turns < 8 && reader_.read(batch, *this, now); ++turns) {
  }
}

void Device::on_deadline(Time now) {
  now_ = now;
  link_->on_deadline(now);
}

void Device::send(const Endpoint& to, Bytes datagram) { static_cast<void>(socket_.send(to, datagram)); }

void Device::post(away::Down message) {
  if (auto* added = std::get_if<datapath::AddSession>(&message)) {
    peer_ = added->peer;
    ++sessions_begun_;
    table_.add(std::move(*added));
  } else if (const auto* moved = std::get_if<datapath::MoveSession>(&message)) {
    table_.move(*moved);
  } else if (const auto* removed = std::get_if<datapath::RemoveSession>(&message)) {
    static_cast<void>(table_.remove(removed->peer));
  } else if (const auto* inner = std::get_if<datapath::SendInner>(&message)) {
    seal(inner->peer, inner->gre);
  } else if (const auto* passed = std::get_if<datapath::PassToSession>(&message)) {
    reader_.pass_to_session(*passed, now_);
  }
}

tunnel::DeviceHello Device::hello() const {
  tunnel::DeviceHello hello;
  hello.software = "hearthcast swarm";
  hello.name = "Swarm";
  return hello;
}

void Device::on_stun(const Endpoint& from, Bytes datagram) {
  if (const auto decoded = wire::decode_stun(datagram)) {
    link_->on_stun(from, datagram, *decoded, now_);
  }
}

void Device::on_handshake(const Endpoint& from, PeerId, Bytes datagram) {
  link_->on_handshake(from, datagram, now_);
}

void Device::on_inner(datapath::Peer& peer, const Endpoint&, Bytes gre) {
  const auto inner = tunnel::decode_inner_packet(gre);
  if (inner && inner->kind != tunnel::InnerKind::kMedia) {
    const Buffer copy(gre.begin(), gre.end());  // what it says may end the session that holds these octets
    link_->on_inner(peer.id, copy, now_);
  }
}

void Device::on_closed(PeerId peer, std::string reason) { link_->on_session_closed(peer, reason, now_); }

void Device::seal(PeerId peer, Bytes gre) {
  auto* session = table_.find(peer);
  std::array<std::uint8_t, 2048> record{};
  const auto size = session == nullptr ? 0 : session->session->seal(gre, record);
  if (size == 0 ||
      socket_.send(session->endpoint, Bytes(record).first(size)).outcome != linux::SendOutcome::kSent) {
    ++unsent_;
  }
}

}  // namespace hearthcast::swarm
