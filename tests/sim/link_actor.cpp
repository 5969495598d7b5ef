#include "tests/sim/link_actor.hpp"

#include <algorithm>

#include "tunnelmgr/secure/dtls_record.hpp"
#include "tunnelmgr/tunnel/inner_packet.hpp"
#include "tunnelmgr/wire/demux.hpp"

namespace hearthcast::sim {
namespace {

constexpr auto kSilence = std::chrono::milliseconds{250};

}  // namespace

LinkActor::LinkActor(World& world, const secure::OpenSslIdentity& identity, const Identity& box)
    : world_(world),
      random_(world),
      dtls_(secure::DtlsContext::make(identity).value()),
      context_{dtls_, crypto_,  random_,
               log_,  box.id(), *nat::credentials_at_device(crypto_, identity, box.public_key())} {
  link = std::make_unique<away::BoxLink>(context_, static_cast<away::LinkHost&>(*this));
}

void LinkActor::watch(const FlowKey& flow) {
  watched_ = flow;
  link->want(flow, world_.now());
}

void LinkActor::post(away::Down message) {
  if (auto* add = std::get_if<datapath::AddSession>(&message)) {
    established_[add->peer] = {add->endpoint, std::move(add->session)};
    ++sessions;
  } else if (const auto* move = std::get_if<datapath::MoveSession>(&message)) {
    established_.at(move->peer).endpoint = move->endpoint;
  } else if (const auto* remove = std::get_if<datapath::RemoveSession>(&message)) {
    established_.erase(remove->peer);
  } else if (const auto* inner = std::get_if<datapath::SendInner>(&message)) {
    if (const auto at = established_.find(inner->peer); at != established_.end()) {
      Buffer record(inner->gre.size() + secure::kDtlsMaxOverhead);
      record.resize(at->second.session->seal(inner->gre, record));
      world_.send(*this, at->second.endpoint, record);
    }
  }
}

void LinkActor::open_record(Bytes bytes, Time now) {
  for (auto& [peer, entry] : established_) {
    Buffer plain(4096);
    const auto size = entry.session->open(bytes, plain);
    if (!size) {
      continue;
    }
    plain.resize(*size);
    const auto inner = tunnel::decode_inner_packet(plain);
    if (inner && inner->kind == tunnel::InnerKind::kMedia) {
      ++media;
      last_media = now;
      if (watched_ && !present_) {
        present_ = true;
        link->on_signal(*watched_, true, now);
      }
    } else {
      link->on_inner(peer, plain, now);
    }
    return;
  }
}

void LinkActor::on_datagram(const Endpoint& from, Bytes bytes, Time now) {
  if (wire::classify(bytes) == wire::DatagramKind::kStun) {
    if (const auto decoded = wire::decode_stun(bytes)) {
      link->on_stun(from, bytes, *decoded, now);
    }
  } else if (secure::dtls_content(bytes) == secure::DtlsContent::kApplicationData) {
    open_record(bytes, now);
  } else {
    link->on_handshake(from, bytes, now);
  }
}

void LinkActor::on_deadline(Time now) {
  if (present_ && now >= last_media + kSilence) {
    present_ = false;
    link->on_signal(*watched_, false, now);
  }
  if (link->next_deadline() <= now) {
    link->on_deadline(now);
  }
}

Time LinkActor::next_deadline() const {
  return std::min(link->next_deadline(), present_ ? last_media + kSilence : kNever);
}

}  // namespace hearthcast::sim
