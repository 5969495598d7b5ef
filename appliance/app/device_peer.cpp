#include "appliance/app/device_peer.hpp"

#include <algorithm>

#include "tunnelmgr/base/log.hpp"
#include "tunnelmgr/linux/multicast_socket.hpp"  // messages own one
#include "tunnelmgr/wire/channel_endpoint.hpp"

namespace hearthcast::app {

DevicePeer::DevicePeer(const access::Device& device, const nat::StandingCredentials& credentials,
                       const PeerContext& context, std::shared_ptr<const access::Access> access,
                       PeerHost& host)
    : device_(device.id),
      identity_(device.identity),
      context_(context),
      access_(std::move(access)),
      host_(host),
      agent_(nat::Role::kControlled, credentials.box, credentials.device, context.crypto, context.random),
      handshake_(context.dtls, device.identity) {}

std::set<FlowKey> DevicePeer::watching() const { return tunnel_ ? tunnel_->watching() : std::set<FlowKey>(); }

std::map<FlowKey, Time> DevicePeer::watching_since() const {
  return tunnel_ ? tunnel_->watching_since() : std::map<FlowKey, Time>();
}

std::vector<membership::RouterStatus> DevicePeer::routers(Time now) const {
  if (!tunnel_) {
    return {};
  }
  const auto both = tunnel_->memberships(now);
  return {both.begin(), both.end()};
}

bool DevicePeer::speaks_to(const Endpoint& endpoint) const {
  return context_.relay != signalling::RelayPolicy::kAlways || endpoint.address.is_private() ||
         wire::channel_of(endpoint) || std::ranges::find(relayed_, endpoint) != relayed_.end();
}

void DevicePeer::on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& decoded, Time now) {
  if (!speaks_to(from)) {
    return;
  }
  perform(agent_.on_stun(from, datagram, decoded, now));
  follow(now);
}

bool DevicePeer::on_handshake(const Endpoint& from, PeerId peer, Bytes datagram, Time now) {
  auto step = handshake_.on_datagram(from, datagram, now);
  if (step.too_many) {
    return false;
  }
  if (step.foreign && tunnel_ && peer == peer_) {
    host_.post(datapath::PassToSession{peer, Buffer(datagram.begin(), datagram.end())});
  }
  perform(std::move(step), now);
  return true;
}

void DevicePeer::on_inner(PeerId peer, Bytes gre, Time now) {
  if (!tunnel_ || peer != peer_) {
    return;
  }
  if (const auto actions = prober_.on_inner(gre, now)) {
    perform(*actions);
    return;
  }
  perform(tunnel_->on_inner(gre, now));
  tell_capabilities();
  tell_inner();
  follow(now);
}

void DevicePeer::on_refused(PeerId peer, std::size_t datagram, Time now) {
  if (tunnel_ && peer == peer_) {
    perform(prober_.on_refused(datagram, now));
  }
}

// The device said hello: before it asks for a channel the data thread knows what it takes.
void DevicePeer::tell_capabilities() {
  if (!tunnel_) {
    return;
  }
  const auto& can = tunnel_->device_capabilities();
  const forward::SetMemory memory{peer_, tunnel::lists(can, tunnel::kCanRepair),
                                  tunnel::lists(can, tunnel::kCanPrelude)};
  if (memory.repair != told_.repair || memory.prelude != told_.prelude) {
    told_ = memory;
    host_.post(memory);
  }
  if (std::exchange(form_told_, tunnel_->encapsulation()) != tunnel_->encapsulation()) {
    host_.post(forward::SetForm{peer_, form_told_});
  }
}

void DevicePeer::tell_inner() {
  if (!tunnel_) {
    return;
  }
  auto inner = tunnel_->inner();
  auto hosts = tunnel_->home_hosts();
  if (inner != inner_told_ || hosts != hosts_told_) {
    inner_told_ = inner;
    hosts_told_ = std::move(hosts);
    host_.on_inner(peer_, inner_told_, hosts_told_);
  }
}

// Prober and agent follow the tunnel, and each other; harmless when nothing has changed.
void DevicePeer::follow(Time now) {
  perform(agent_.set_idle(tunnel_ && tunnel_->watching().empty(), now));
  if (!tunnel_) {
    return;
  }
  const auto& can = tunnel_->device_capabilities();
  perform(prober_.update({.compact = tunnel::lists(can, tunnel::kCanCompact),
                          .probe = tunnel::lists(can, tunnel::kCanProbe),
                          .path = path() ? path() : handshake_.endpoint(),
                          .watching = !tunnel_->watching().empty()},
                         now));
}

void DevicePeer::perform(const sessions::PathProberActions& actions) {
  for (const auto& action : actions) {
    if (const auto* inner = std::get_if<sessions::SendInner>(&action)) {
      host_.post(datapath::SendInner{peer_, inner->gre});
    } else {
      host_.post(forward::SetFrameLimit{peer_, std::get<sessions::LimitFrames>(action).octets});
    }
  }
}

void DevicePeer::on_session_closed(PeerId peer, const std::string& reason, Time now) {
  if (tunnel_ && peer == peer_) {
    drop(reason, false);
    follow(now);
  }
}

void DevicePeer::on_signal(const FlowKey& flow, bool present, Time now) {
  if (tunnel_) {
    tunnel_->on_signal(flow, present, now);
  }
}

void DevicePeer::on_candidates(const std::vector<nat::Candidate>& candidates, Time now) {
  relayed_.clear();
  for (const auto& candidate : candidates) {
    if (candidate.type == nat::CandidateType::kRelayed) {
      relayed_.push_back(candidate.endpoint);
    }
  }
  perform(agent_.on_candidates(candidates, now));
}

void DevicePeer::on_access(std::shared_ptr<const access::Access> access, Time now) {
  access_ = std::move(access);
  if (tunnel_) {
    perform(tunnel_->on_access(access_, now));
    tell_inner();
    follow(now);
  }
}

void DevicePeer::on_reach(Time now) {
  if (tunnel_) {
    perform(tunnel_->on_reach(now));
  }
}

void DevicePeer::on_network_change(Time now) { perform(agent_.on_network_change(now)); }

bool DevicePeer::watches_from_outside() const {
  return tunnel_ && path() && !path()->address.is_private() && !path()->address.is_link_local() &&
         !tunnel_->watching().empty();
}

void DevicePeer::lurk(const Endpoint& last, Time now) {
  if (speaks_to(last)) {
    perform(agent_.lurk(last, now));
  }
}

void DevicePeer::end(tunnel::NoticeCode code, const std::string& text, Time now) {
  if (tunnel_) {
    perform(tunnel_->end(code, text, now));
    tell_inner();
  }
}

void DevicePeer::on_deadline(Time now) {
  if (agent_.next_deadline() <= now) {
    perform(agent_.on_deadline(now));
  }
  if (handshake_.next_deadline() <= now) {
    perform(handshake_.on_deadline(now), now);
  }
  if (tunnel_ && tunnel_->next_deadline() <= now) {
    perform(tunnel_->on_deadline(now));
  }
  if (tunnel_ && prober_.next_deadline() <= now) {
    perform(prober_.on_deadline(now));
  }
  follow(now);
}

Time DevicePeer::next_deadline() const {
  return std::min({agent_.next_deadline(), handshake_.next_deadline(),
                   tunnel_ ? tunnel_->next_deadline() : kNever, tunnel_ ? prober_.next_deadline() : kNever});
}

void DevicePeer::perform(const nat::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* datagram = std::get_if<nat::SendDatagram>(&action)) {
      host_.send(datagram->to, datagram->bytes);
    } else if (const auto* proven = std::get_if<nat::EndpointProven>(&action)) {
      host_.on_proven(*this, proven->remote);
    } else if (const auto* selected = std::get_if<nat::PathSelected>(&action)) {
      context_.log.info("path_selected", {{"device", identity_.to_string().substr(0, 8)},
                                          {"endpoint", selected->remote.to_string()},
                                          {"kind", std::string(nat::to_string(selected->type))}});
      if (tunnel_) {
        host_.post(datapath::MoveSession{peer_, selected->remote});
      }
      host_.on_path(*this);
    } else if (std::holds_alternative<nat::PathSuspected>(action)) {
      context_.log.info("path_suspected", {{"device", identity_.to_string().substr(0, 8)}});
      host_.on_suspected();
    } else if (std::holds_alternative<nat::PathLost>(action)) {
      context_.log.info("path_lost", {{"device", identity_.to_string().substr(0, 8)}});
      handshake_.abandon();
      // Without consent nothing may be sent there any more (RFC 7675 section 5.1).
      drop("no answer from the device", false);
      host_.on_path(*this);
    }
  }
}

void DevicePeer::perform(Handshake::Step step, Time now) {
  if (!step.failed.empty()) {
    context_.log.warning("handshake_failed",
                         {{"device", identity_.to_string().substr(0, 8)}, {"error", step.failed}});
  }
  // The data thread has to know the session before the device can answer our last flight.
  if (step.established) {
    open(std::move(step.established), now);
  }
  for (const Buffer& datagram : step.datagrams) {
    host_.send(handshake_.endpoint(), datagram);
  }
}

void DevicePeer::open(std::unique_ptr<secure::DtlsSession> session, Time now) {
  const std::optional<PeerId> former = tunnel();
  const std::string cipher = session->cipher();
  prober_ = sessions::PathProber(session->overhead());
  // The device made the newest session: it no longer opens what the former one seals.
  if (former) {
    host_.post(datapath::RemoveSession{*former, false});
  }
  peer_ = host_.next_peer();
  told_ = {peer_};
  form_told_ = tunnel::Form::kGre;
  inner_told_.reset();
  hosts_told_.clear();
  tunnel_ = std::make_unique<sessions::DeviceTunnel>(identity_, device_, context_.facts, access_, now);
  tunnel_since_ = now;
  host_.post(datapath::AddSession{peer_, handshake_.endpoint(), std::move(session)});
  context_.log.info("tunnel_opened", {{"device", identity_.to_string().substr(0, 8)},
                                      {"endpoint", handshake_.endpoint().to_string()},
                                      {"cipher", cipher},
                                      {"replaced", former ? "yes" : "no"}});
  host_.on_tunnel(*this, former);
  perform(tunnel_->on_deadline(now));  // the querier's first query
}

void DevicePeer::perform(sessions::TunnelActions actions) {
  for (auto& action : actions) {
    if (auto* inner = std::get_if<sessions::SendInner>(&action)) {
      host_.post(datapath::SendInner{peer_, std::move(inner->gre)});
    } else if (std::holds_alternative<sessions::WatchingChanged>(action)) {
      host_.on_watching(*this);
    } else if (std::holds_alternative<sessions::PathChanged>(action)) {
      host_.on_path(*this);
    } else {
      drop(std::get<sessions::CloseTunnel>(action).reason, true);
      return;
    }
  }
}

void DevicePeer::drop(const std::string& reason, bool close_notify) {
  if (!tunnel_) {
    return;
  }
  const PeerId former = peer_;
  tunnel_.reset();
  host_.post(datapath::RemoveSession{former, close_notify});
  context_.log.info("tunnel_closed", {{"device", identity_.to_string().substr(0, 8)}, {"reason", reason}});
  host_.on_tunnel(*this, former);
}

}  // namespace hearthcast::app
