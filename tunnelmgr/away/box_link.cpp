#include "tunnelmgr/away/box_link.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnelmgr/tunnel/inner_packet.hpp"

namespace hearthcast::away {
namespace {

// A box that is just starting hears nothing at first, and flights are repeated ever more rarely: then
// beginning anew is quicker.
constexpr Duration kUnheard = std::chrono::seconds{2};
constexpr Duration kFirstBackOff = std::chrono::milliseconds{500};
constexpr Duration kLastBackOff = std::chrono::seconds{20};
constexpr Duration kReplacedBackOff =
    std::chrono::seconds{30};  // do not fight another client with our identity
constexpr Duration kRefusedBackOff = std::chrono::seconds{10};
constexpr Duration kUseLasts = std::chrono::seconds{30};  // after a packet of a network interface
constexpr Duration kAskAgain = std::chrono::seconds{10};

Duration random_below(Random& random, Duration limit) {
  std::array<std::uint8_t, 4> octets{};
  random.fill(octets);
  const std::uint32_t value = Reader(octets).u32();
  return limit / 1024 * (value % 1024);
}

}  // namespace

BoxLink::BoxLink(const LinkContext& context, LinkHost& host)
    : context_(context),
      host_(host),
      agent_(nat::Role::kControlling, context.credentials.device, context.credentials.box, context.crypto,
             context.random) {}

void BoxLink::close() {
  session_.reset();
  if (peer_ != PeerId{}) {
    host_.post(datapath::RemoveSession{peer_, true});
  }
}

void BoxLink::on_candidates(const std::vector<nat::Candidate>& candidates, Time now) {
  perform(agent_.on_candidates(candidates, now), now);
  tell_path(now);  // where the box may be tells more of its NAT
}

void BoxLink::on_stun(const Endpoint& from, Bytes datagram, const wire::StunMessage& decoded, Time now) {
  perform(agent_.on_stun(from, datagram, decoded, now), now);
}

// A machine that slept may have outlived its session at the box, and hears of a network when it wakes.
void BoxLink::on_network_change(Time now) {
  if (session_) {
    session_->doubt_box(now);
  }
  perform(agent_.on_network_change(now), now);
}

void BoxLink::perform(const nat::Actions& actions, Time now) {
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<nat::SendDatagram>(&action)) {
      host_.send(send->to, send->bytes);
    } else if (const auto* nominated = std::get_if<nat::PathNominated>(&action)) {
      if (session_) {  // no packet is lost in the change: the box moves when it has the check that follows
        host_.post(datapath::HearSession{peer_, nominated->remote});
      }
    } else if (const auto* path = std::get_if<nat::PathSelected>(&action)) {
      context_.log.info("path_selected", {{"endpoint", host_.name_of(path->remote)},
                                          {"type", std::string(nat::to_string(path->type))}});
      host_.on_path(path->remote);
      if (session_) {
        host_.post(datapath::MoveSession{peer_, path->remote});
      } else if (!handshake_) {
        next_attempt_ = now;
      }
      doubt_path(false, now);
      tell_path(now);
      host_.on_status();
    } else if (std::holds_alternative<nat::PathSuspected>(action)) {
      context_.log.info("path_suspected", {{"endpoint", host_.name_of(*agent_.selected())}});
      doubt_path(true, now);
    } else if (std::holds_alternative<nat::PathConfirmed>(action)) {
      doubt_path(false, now);
      if (session_ &&
          wanted_.empty()) {  // nothing that is missed would show that the box gave it up meanwhile
        session_->doubt_box(now);
      }
    } else if (std::holds_alternative<nat::PeerRestarted>(action)) {
      if (session_) {
        session_->doubt_box(now);
      }
    } else if (std::holds_alternative<nat::PathLost>(action)) {
      context_.log.warning("path_lost", {});
      handshake_.reset();
      if (session_) {  // the box, too, ends a session without consent
        end_session("the path to the box was lost", now);
      }
      host_.on_path_doubt(false);
      host_.on_status();
    }
  }
}

void BoxLink::doubt_path(bool doubted, Time now) {
  if (session_) {
    perform(session_->on_path(!doubted, now), now);
  }
  host_.on_path_doubt(doubted);
}

// The owner reads it at the box.
void BoxLink::tell_path(Time now) {
  const auto path = agent_.selected();
  if (!path || !session_ || !session_->greeting()) {
    return;
  }
  auto because = host_.relayed_because(*path);
  if (because != told_path_) {
    told_path_ = because;
    perform(session_->say_path(std::move(because), now), now);
  }
}

// Nothing is watched, and no packet went either way for a while.
void BoxLink::follow_use(Time now) {
  const bool idle = session_ && session_->greeting() && wanted_.empty() && packets_until_ == kNever;
  perform(agent_.set_idle(idle, now), now);
}

void BoxLink::begin_handshake(Time now) {
  next_attempt_ = kNever;
  const auto path = agent_.selected();
  if (!path) {
    return;  // PathSelected sets the next attempt
  }
  // A box that has restarted takes handshakes only from endpoints that a check has proven anew.
  perform(agent_.on_silence(now), now);
  handshake_ = std::make_unique<secure::DtlsSession>(context_.dtls, secure::DtlsRole::kClient, context_.box);
  unheard_until_ = now + kUnheard;
  settle(handshake_->start(now), now);
  host_.on_status();
}

void BoxLink::on_handshake(const Endpoint& from, Bytes datagram, Time now) {
  if (handshake_ && agent_.is_proven(from, now)) {
    unheard_until_ = kNever;
    settle(handshake_->on_datagram(datagram, now), now);
  }
}

// Sends what the handshake wants sent, and looks at what has become of it.
void BoxLink::settle(const std::vector<Buffer>& datagrams, Time now) {
  if (handshake_->state() == secure::DtlsState::kEstablished) {
    establish(now);
  }
  if (const auto path = agent_.selected()) {
    for (const auto& datagram : datagrams) {
      host_.send(*path, datagram);
    }
  }
  if (handshake_ && handshake_->state() == secure::DtlsState::kFailed) {
    last_error_ = handshake_->wrong_key() ? "what answers there is not the paired box (it has another key)"
                                          : "the key exchange with the box failed: " + handshake_->reason();
    context_.log.warning("handshake_failed", {{"error", last_error_}});
    handshake_.reset();
    try_again(now, {});
  }
}

void BoxLink::establish(Time now) {
  const auto former = peer_;
  peer_ = host_.next_peer();
  context_.log.info("session_established",
                    {{"peer", std::to_string(peer_.value)}, {"cipher", handshake_->cipher()}});
  host_.post(datapath::AddSession{peer_, *agent_.selected(), std::move(handshake_)});
  if (former != PeerId{}) {
    host_.post(datapath::RemoveSession{former, false});
  }
  last_error_.clear();
  auto hello = host_.hello();
  host_.post(ExpectForm{hello.encapsulation});
  session_.emplace(std::move(hello));
  told_path_.clear();
  for (const auto& [flow, present] : wanted_) {
    perform(session_->want(flow, now), now);
  }
  perform(session_->start(now), now);
  host_.on_status();
}

void BoxLink::end_session(const std::string& reason, Time now) {
  context_.log.warning("session_ended", {{"peer", std::to_string(peer_.value)}, {"error", reason}});
  last_error_ = reason;
  session_.reset();
  Duration at_least{};
  if (notice_) {
    at_least = notice_->code == tunnel::NoticeCode::kReplaced  ? kReplacedBackOff
               : notice_->code == tunnel::NoticeCode::kRevoked ? kRefusedBackOff
                                                               : Duration{};
  }
  try_again(now, at_least);
  host_.on_status();
}

// The first time at once: most often the box has just restarted. Then with full jitter below a growing limit.
void BoxLink::try_again(Time now, Duration at_least) {
  Duration wait = at_least;
  if (failures_ > 0) {
    const Duration limit = std::min(kLastBackOff, kFirstBackOff * (1 << std::min(failures_, 6)));
    wait += random_below(context_.random, limit);
  }
  ++failures_;
  next_attempt_ = now + wait;
}

void BoxLink::on_inner(PeerId peer, Bytes gre, Time now) {
  if (session_ && peer == peer_) {
    perform(session_->on_inner(gre, now), now);
    follow_use(now);
  }
}

void BoxLink::on_session_closed(PeerId peer, const std::string& reason, Time now) {
  if (session_ && peer == peer_) {
    end_session(reason, now);
    follow_use(now);
  }
}

void BoxLink::perform(const SessionActions& actions, Time now) {
  std::optional<std::string> died;
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<SendGre>(&action)) {
      host_.post(datapath::SendInner{peer_, send->gre});
    } else if (const auto* greeted = std::get_if<Greeted>(&action)) {
      failures_ = 0;
      notice_.reset();
      host_.post(SetRepair{tunnel::lists(greeted->hello.capabilities, tunnel::kCanRepair)});
      if (const auto round_trip = agent_.round_trip()) {
        host_.post(SetRoundTrip{*round_trip});
      }
      context_.log.info("box_hello",
                        {{"box", greeted->hello.name}, {"state", tunnel::to_string(greeted->hello.state)}});
      tell_path(now);
      host_.on_status();
    } else if (const auto* channels = std::get_if<ChannelsCame>(&action)) {
      host_.on_channels(channels->list);
    } else if (const auto* refused = std::get_if<Refused>(&action)) {
      context_.log.info("refused", {{"group", refused->refusal.flow.to_string()},
                                    {"code", tunnel::to_string(refused->refusal.code)}});
      host_.on_refusal(refused->refusal);
    } else if (const auto* noticed = std::get_if<Noticed>(&action)) {
      context_.log.info("notice", {{"code", tunnel::to_string(noticed->notice.code)}});
      notice_ = noticed->notice;
      host_.on_status();
    } else if (const auto* told = std::get_if<ReachTold>(&action)) {
      host_.on_reach(told->reach);
    } else if (const auto* home = std::get_if<HomeHostsTold>(&action)) {
      host_.on_home_hosts(home->hosts);
    } else if (const auto* packet = std::get_if<PacketCame>(&action)) {
      packets_until_ = now + kUseLasts;
      host_.on_packet(packet->ip_packet);
    } else if (std::holds_alternative<CheckPath>(action)) {
      perform(agent_.on_silence(now), now);
    } else if (const auto* dead = std::get_if<Dead>(&action)) {
      died = dead->reason;
    }
  }
  if (died) {
    // The data thread keeps the old session until the new one takes its endpoint: late data is still welcome.
    end_session(*died, now);
  }
}

void BoxLink::want(const FlowKey& flow, Time now) {
  wanted_.emplace(flow, false);
  follow_use(now);
  if (session_) {
    perform(session_->want(flow, now), now);
  }
}

void BoxLink::unwant(const FlowKey& flow, Time now) {
  wanted_.erase(flow);
  if (session_) {
    perform(session_->unwant(flow, now), now);
  }
  follow_use(now);
}

void BoxLink::on_signal(const FlowKey& flow, bool present, Time now) {
  const auto at = wanted_.find(flow);
  if (at == wanted_.end()) {
    return;
  }
  at->second = present;
  if (session_) {
    session_->on_signal(flow, present, now);
  }
}

void BoxLink::on_congestion(const tunnel::Congestion& congestion, Time now) {
  context_.log.warning("path_too_narrow", {{"group", congestion.flow.to_string()},
                                           {"arriving_bps", std::to_string(congestion.arriving_bps)},
                                           {"needed_bps", std::to_string(congestion.needed_bps)}});
  if (session_) {
    perform(session_->say_congestion(congestion, now), now);
  }
}

void BoxLink::send_packet(Bytes ip_packet, Time now) {
  if (session_ && session_->greeting()) {
    packets_until_ = now + kUseLasts;
    if (ask_again_ <= now) {
      session_->doubt_box(now);
      ask_again_ = now + kAskAgain;
    }
    follow_use(now);
    host_.post(datapath::SendInner{peer_, tunnel::encode_membership(ip_packet)});
  }
}

void BoxLink::on_deadline(Time now) {
  if (agent_.next_deadline() <= now) {
    perform(agent_.on_deadline(now), now);
  }
  if (session_ && session_->next_deadline() <= now) {
    perform(session_->on_deadline(now), now);
  }
  if (handshake_ && handshake_->next_deadline() <= now) {
    settle(handshake_->on_deadline(now), now);
  }
  const bool unheard = handshake_ && unheard_until_ <= now;
  if (unheard || (next_attempt_ <= now && !handshake_)) {
    begin_handshake(now);
  }
  if (packets_until_ <= now) {
    packets_until_ = kNever;
  }
  follow_use(now);
}

Time BoxLink::next_deadline() const {
  Time first = std::min(agent_.next_deadline(), packets_until_);
  first = std::min(first, handshake_ ? std::min(handshake_->next_deadline(), unheard_until_) : next_attempt_);
  if (session_) {
    first = std::min(first, session_->next_deadline());
  }
  return first;
}

LinkStatus BoxLink::status() const {
  LinkStatus status;
  status.path = agent_.selected();
  status.path_type = agent_.selected_type();
  status.round_trip = agent_.round_trip();
  status.path_mtu = session_ ? session_->path_mtu() : std::uint16_t{0};
  status.notice = notice_;
  if (!status.path) {
    status.text = "looking for the box";
  } else if (!session_) {
    status.phase = LinkPhase::kHandshaking;
    status.text = "found the box at " + host_.name_of(*status.path) + ", agreeing on keys";
  } else if (!session_->greeting()) {
    status.phase = LinkPhase::kGreeting;
    status.text = "connected to " + host_.name_of(*status.path) + ", saying hello";
  } else {
    status.phase = LinkPhase::kConnected;
    status.hello = session_->greeting();
    status.text = "connected to " + status.hello->name + " at " + host_.name_of(*status.path);
  }
  if (status.phase != LinkPhase::kConnected && !last_error_.empty()) {
    status.text += " (before: " + last_error_ + ")";
  }
  return status;
}

}  // namespace hearthcast::away
